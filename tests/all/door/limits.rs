//! Sizes, times and counts: whoever goes beyond them is stopped, and stops nobody else.

use std::io::Write;
use std::time::{Duration, Instant};

use super::client::answer;
use super::{BASE, Door, OWN};

#[test]
fn too_many_wrong_tokens_shut_out_a_good_one() {
    let door = Door::with("wrong_tokens_per_hour = 3\n");
    let path = door.link();
    let from = |client: &str, path: &str| door.client.ask("GET", path, &[("X-Forwarded-For", client)], b"");
    let (one, other) = ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2");
    assert_eq!(from(one, "/t/%00").status, 404);
    assert_eq!(from(one, "/t/never").status, 404);
    assert_eq!(from(one, &path).status, 200);
    assert_eq!(from(other, "/t/never").status, 404, "of IPv6 the first 64 bits count");
    for client in [one, other] {
        let refused = from(client, &path);
        assert_eq!((refused.status, refused.heading()), (429, "One moment, please"), "{refused:?}");
        let fields = [OWN, ("X-Forwarded-For", client)];
        assert_eq!(door.client.ask("POST", &path, &fields, b"do=open").status, 429);
    }
    assert_eq!(from("2001:db8:1:3::1", &path).status, 200);
    assert_eq!(door.desk.ask("SELECT state FROM token ORDER BY id DESC LIMIT 1"), "active");
}

#[test]
fn a_body_that_is_too_long_is_refused_in_any_form() {
    let door = Door::open();
    let path = door.link();
    let body = format!("do=open&x={}", "a".repeat(1100));
    assert_eq!(door.client.ask("POST", &path, &[OWN], body.as_bytes()).status, 413);
    let chunked = format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nOrigin: {BASE}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
         {:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    assert_eq!(door.client.raw(chunked.as_bytes()).status, 413);
    let padded = format!("do=open&x={}", "a".repeat(1000));
    assert_eq!(door.client.ask("POST", &path, &[OWN], padded.as_bytes()).status, 303);
}

#[test]
fn half_said_connections_stop_nobody_and_are_closed() {
    let door = Door::open();
    let path = door.link();
    let start = Instant::now();
    let mut slow: Vec<_> = (0..50)
        .map(|number| {
            let mut stream = door.client.connect();
            let half: &[u8] = match number % 3 {
                0 => b"",
                1 => b"GET /t/abc HTTP/1.1\r\nHost:",
                _ => b"POST /t/abc HTTP/1.1\r\nHost: h\r\nOrigin: https://help.test\r\nContent-Length: 7\r\n\r\ndo",
            };
            stream.write_all(half).unwrap();
            stream
        })
        .collect();
    let before = Instant::now();
    assert_eq!(door.get(&path).status, 200);
    assert_eq!(door.press(&path, "open", None).status, 303);
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    for (number, stream) in slow.iter_mut().enumerate() {
        let said = answer(stream.as_mut());
        assert_eq!(said.status, if number % 3 == 2 { 408 } else { 0 }, "{number} {said:?}");
    }
    let took = start.elapsed();
    assert!(took > Duration::from_secs(9) && took < Duration::from_secs(30), "{took:?}");
}
