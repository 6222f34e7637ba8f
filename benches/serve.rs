//! An `otab serve` beside the filter. It ends with its owner.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::call::Expect;
use crate::site::Site;

/// The running door.
pub struct Serve(Child);

impl Serve {
    /// Starts it on the site's store, on a free port, and waits until it answers.
    pub fn start(site: &Site) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        site.set("\nlisten = \"127.0.0.1:8421\"", &format!("\nlisten = \"127.0.0.1:{port}\""))?;
        site.set("\nbase_url = \"\"", "\nbase_url = \"https://help.example.org\"")?;
        site.set("\nlink_url = \"\"", "\nlink_url = \"https://help.example.org/t/{{token}}\"")?;
        site.set("\nportal_url = \"\"", "\nportal_url = \"https://help.example.org/otobo/customer.pl\"")?;
        let nothing = std::path::Path::new("/dev/null");
        let mut command = site.otab(&["serve"], nothing, Expect::Anything).command();
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::create(site.path("serve.log"))?);
        let mut serve = Self(command.spawn()?);
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = serve.0.try_wait()? {
                bail!("otab serve: {status}: {}", std::fs::read_to_string(site.path("serve.log"))?);
            }
            if start.elapsed() > Duration::from_secs(30) {
                bail!("otab serve does not listen");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(serve)
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
