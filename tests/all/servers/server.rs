//! Real database servers, each in a folder of its own under the system's temporary one, reached by a
//! socket there and by a free port of the loopback.
//!
//! A shell watches over each: it reads from a pipe that nobody writes to. The pipe closes when the test's
//! process ends, however it ends, and then the shell stops the server and removes the folder.

use crate::site::{Ended, piped};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Product {
    PostgreSql,
    MariaDb,
}

impl Product {
    /// The system user that it runs as: PostgreSQL refuses root.
    fn user(self) -> &'static str {
        match self {
            Self::PostgreSql => "postgres",
            Self::MariaDb => "mysql",
        }
    }

    fn ready(self) -> &'static str {
        match self {
            Self::PostgreSql => "database system is ready to accept connections",
            Self::MariaDb => "ready for connections",
        }
    }
}

/// Stops its server by the signal, which has to come through also where somebody has halted it. The folder
/// stays only where the last word was to keep it.
pub const WATCH: &str = "\"$@\" 2>&1 < /dev/null &
    word=
    read -r word
    kill -s CONT $!
    kill -s \"$STOP_BY\" $!
    wait
    [ \"$word\" = keep ] || rm -rf -- \"$FOLDER\"";

/// A running server.
pub struct Server {
    product: Product,
    folder: PathBuf,
    pub port: u16,
    pid: u32,
    watch: Child,
    databases: AtomicUsize,
}

impl Server {
    /// Makes one and waits until it answers.
    pub fn start(product: Product) -> Self {
        let folder = tempfile::Builder::new().prefix("otab-").tempdir().unwrap();
        own(product, folder.path());
        prepare(product, folder.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (watch, pid) = launch(product, folder.path(), port);
        // From now on it is the shell's to remove.
        Self { product, folder: folder.keep(), port, pid, watch, databases: AtomicUsize::new(0) }
    }

    /// A new database without any table; its name.
    pub fn empty_database(&self) -> String {
        let name = format!("database{}", self.databases.fetch_add(1, Ordering::Relaxed));
        match self.product {
            Product::PostgreSql => self.client("postgres", &format!("CREATE DATABASE {name}")),
            Product::MariaDb => self.client("mysql", &format!("CREATE DATABASE {name}")),
        };
        name
    }

    /// A new database with the helpdesk's tables; its name.
    pub fn database(&self) -> String {
        let name = self.empty_database();
        let schema = match self.product {
            Product::PostgreSql => include_str!("../../schema/otobo.postgresql.sql"),
            Product::MariaDb => include_str!("../../schema/otobo.mariadb.sql"),
        };
        self.client(&name, schema);
        name
    }

    /// Runs statements with the server's own client; what it prints, a line a row, columns apart by `|`.
    pub fn client(&self, database: &str, sql: &str) -> String {
        let mut command = match self.product {
            Product::PostgreSql => Command::new("psql"),
            Product::MariaDb => Command::new("mariadb"),
        };
        match self.product {
            Product::PostgreSql => command
                .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "otab", "-d", database, "-h"])
                .arg(&self.folder)
                .args(["-p", &self.port.to_string()]),
            Product::MariaDb => command
                .args(["--no-defaults", "--batch", "--skip-column-names", "--user=root"])
                .args(["--default-character-set=utf8mb4", "--socket"])
                .arg(self.socket())
                .arg(database),
        };
        let mut child = piped(&mut command);
        child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap().says(0);
        output.out().replace('\t', "|")
    }

    /// The URL of a database by the server's socket, as otab's configuration has it.
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.display();
        match self.product {
            Product::PostgreSql => format!("postgresql://otab@:{}/{database}?host={folder}", self.port),
            Product::MariaDb => format!("mysql://root@localhost/{database}?socket={}", self.socket().display()),
        }
    }

    /// The URL of a database by TCP, for a user that [`Server::user`] has made.
    pub fn tcp_url(&self, host: &str, database: &str, query: &str) -> String {
        let scheme = if self.product == Product::PostgreSql { "postgresql" } else { "mysql" };
        format!("{scheme}://visitor:hunter2@{host}:{}/{database}?{query}", self.port)
    }

    /// Makes the user that may only look, and has to show the password `hunter2`.
    pub fn user(&self, database: &str) {
        let sql = match self.product {
            Product::PostgreSql => {
                "DROP OWNED BY visitor; DROP ROLE visitor; CREATE ROLE visitor LOGIN PASSWORD 'hunter2'; \
                 GRANT SELECT ON ALL TABLES IN SCHEMA public TO visitor"
            }
            Product::MariaDb => {
                "DROP USER IF EXISTS visitor; CREATE USER visitor IDENTIFIED BY 'hunter2'; GRANT SELECT ON *.* TO visitor"
            }
        };
        if self.product == Product::PostgreSql {
            self.client(database, "DO $$ BEGIN CREATE ROLE visitor; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
        }
        self.client(database, sql);
    }

    /// The certificate of the authority that the server's own is from.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// Halts it in the middle of whatever it does, or lets it go on (`STOP`, `CONT`).
    pub fn signal(&self, signal: &str) {
        // PostgreSQL has a process for each connection.
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid)).unwrap();
        let pids = [self.pid.to_string()].into_iter().chain(children.split_whitespace().map(str::to_owned));
        for pid in pids {
            // One may have ended meanwhile.
            let _ = Command::new("kill").args(["-s", signal, &pid]).stderr(Stdio::null()).status().unwrap();
            while signal == "STOP" && is_running(&pid) {
                std::thread::yield_now();
            }
        }
    }

    /// Ends it at once, as it stands.
    pub fn kill(&mut self) {
        self.watch.stdin.take().unwrap().write_all(b"keep\n").unwrap();
        self.watch.wait().unwrap();
    }

    /// Starts it again after `kill`, in the same place.
    pub fn restart(&mut self) {
        (self.watch, self.pid) = launch(self.product, &self.folder, self.port);
    }
}

/// Whether any thread of the process still does something: the signal comes through a moment later.
fn is_running(pid: &str) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("stat")).ok()).any(|stat| {
        let state = stat.rsplit_once(") ").unwrap().1.chars().next();
        !matches!(state, Some('T' | 'Z' | 'X'))
    })
}

/// Ends before the test does; servers that are shared end with the process, by the pipe.
impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

/// A command that runs as the server's user where the tests run as root, in a group of its own.
fn as_user(product: Product, program: &Path) -> Vec<std::ffi::OsString> {
    let mut words: Vec<std::ffi::OsString> = Vec::new();
    if rustix::process::geteuid().is_root() {
        let user = product.user();
        words.extend(["setpriv", "--reuid", user, "--regid", user, "--clear-groups"].map(Into::into));
    }
    words.push(program.into());
    words
}

fn own(product: Product, folder: &Path) {
    if rustix::process::geteuid().is_root() {
        let user = nix::unistd::User::from_name(product.user()).unwrap().expect("the server's package makes its user");
        std::os::unix::fs::chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    }
}

/// The newest of Debian's PostgreSQL packages has its programs here.
fn program(product: Product, name: &str) -> PathBuf {
    if product == Product::MariaDb {
        return name.into();
    }
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path()).collect();
    versions.sort();
    versions.pop().unwrap().join("bin").join(name)
}

/// Makes an authority, and by it a certificate for `localhost` and nothing else, in the current folder.
pub const CERTIFY: &str = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority \
    -keyout ca.key -out ca.pem \
    && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
    -keyout server.key -out server.csr \
    && printf 'subjectAltName=DNS:localhost' > names \
    && openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names \
    -out server.pem && chmod 600 server.key";

fn certify(product: Product, folder: &Path) {
    let words = as_user(product, Path::new("sh"));
    Command::new(&words[0]).args(&words[1..]).args(["-c", CERTIFY]).current_dir(folder).output().unwrap().says(0);
}

/// Makes the empty server.
fn prepare(product: Product, folder: &Path) {
    certify(product, folder);
    let name = match product {
        Product::PostgreSql => "initdb",
        Product::MariaDb => "mariadb-install-db",
    };
    let words = as_user(product, &program(product, name));
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder);
    match product {
        Product::PostgreSql => command
            .args(["--no-sync", "-E", "UTF8", "--locale=C.UTF-8", "-U", "otab", "--auth-local=trust"])
            .args(["--auth-host=scram-sha-256", "-D"])
            .arg(folder.join("data")),
        Product::MariaDb => command
            .args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"])
            // The system has few of these, and others may have them.
            .arg("--innodb-use-native-aio=0")
            .arg(own_temporary(folder))
            .arg(format!("--datadir={}", folder.join("data").display())),
    };
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stderr, output.stdout].concat()));
}

/// MariaDB, as it starts, deletes every temporary table in its folder for them, those of another that is starting, too.
fn own_temporary(folder: &Path) -> String {
    format!("--tmpdir={}", folder.display())
}

fn launch(product: Product, folder: &Path, port: u16) -> (Child, u32) {
    let data = folder.join("data");
    let (name, stop) = match product {
        // Killed, it would leave its shared memory behind.
        Product::PostgreSql => ("postgres", "QUIT"),
        Product::MariaDb => ("mariadbd", "KILL"),
    };
    let mut command = Command::new("sh");
    command.args(["-c", WATCH, "sh", "setsid"]).args(as_user(product, &program(product, name)));
    match product {
        Product::PostgreSql => command
            .args(["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", "lc_messages=C", "-c", "ssl=on"])
            .arg("-cssl_cert_file=../server.pem")
            .args(["-cssl_key_file=../server.key", "-k"])
            .arg(folder)
            .args(["-p", &port.to_string(), "-D"])
            .arg(&data),
        Product::MariaDb => command
            .args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin"])
            // 2: what was committed outlives the server, though not the machine.
            .args(["--innodb-use-native-aio=0", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2"])
            .args([
                format!("--ssl-cert={}/server.pem", folder.display()),
                format!("--ssl-key={}/server.key", folder.display()),
            ])
            .args(["--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci"])
            .arg(format!("--port={port}"))
            .arg(format!("--socket={}", folder.join("socket").display()))
            .arg(format!("--pid-file={}", folder.join("pid").display()))
            .arg(own_temporary(folder))
            .arg(format!("--datadir={}", data.display())),
    };
    command.env("STOP_BY", stop).env("FOLDER", folder).current_dir(folder);
    // Ctrl-C on a terminal is for the tests; the server ends with the pipe.
    let mut watch = command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    wait_until_ready(product, &mut watch);
    (watch, pid(product, folder))
}

fn wait_until_ready(product: Product, watch: &mut Child) {
    let mut log = BufReader::new(watch.stdout.take().unwrap());
    let mut told = String::new();
    while !told.contains(product.ready()) {
        assert!(log.read_line(&mut told).unwrap() > 0, "the server has ended: {told}");
    }
    // What it says from now on has to go somewhere, or it would stand still.
    std::thread::spawn(move || log.read_to_end(&mut Vec::new()));
}

/// Both servers write it into a file, PostgreSQL on the first line of several.
fn pid(product: Product, folder: &Path) -> u32 {
    let file = match product {
        Product::PostgreSql => folder.join("data/postmaster.pid"),
        Product::MariaDb => folder.join("pid"),
    };
    std::fs::read_to_string(file).unwrap().lines().next().unwrap().parse().unwrap()
}
