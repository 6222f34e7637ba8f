//! `examples/nginx`, `examples/caddy`, `examples/apache`: the proxy before the door and the portal, as shipped, in
//! Debian's programs.

mod apache;
mod attacks;
mod browser;
mod caddy;
mod forwarded;
mod front;
mod house;
mod logout;
mod mailboxes;
mod nginx;
mod passage;
mod portal;
mod proxy_secret;
mod referrer;
mod sessions;
mod specimens;
mod units;
mod webdriver;
