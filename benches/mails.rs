//! The mails that are measured with, all made here.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;

/// A mail of a few kilobytes, as most are.
pub const USUAL: u64 = 4096;

/// The header block of a new mail that a person has written, with its empty line.
fn head(from: &str, more_fields: usize) -> String {
    let mut head = format!(
        "Return-Path: <{from}>\n\
         Received: from mx.corp.example (mx.corp.example [192.0.2.25])\n\
         \tby mail.desk.example (Postfix) with ESMTPS id 4F0A21C0045\n\
         \tfor <help@desk.example>; Fri, 20 Nov 2026 09:30:17 +0000 (UTC)\n\
         Received: from pc17.corp.example (unknown [198.51.100.17])\n\
         \tby mx.corp.example (Postfix) with ESMTPSA id 9A1B2C3D4E\n\
         \tfor <help@desk.example>; Fri, 20 Nov 2026 09:30:16 +0000 (UTC)\n\
         From: Erika Muster <{from}>\n\
         To: Helpdesk <help@desk.example>\n\
         Subject: =?UTF-8?Q?Frage_zu_meiner_Bestellung_f=C3=BCr_M=C3=A4rz?=\n\
         Date: Fri, 20 Nov 2026 10:30:15 +0100\n\
         Message-ID: <{from}.mail>\n\
         MIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: 8bit\n\
         User-Agent: Example Mail 1.0\n"
    );
    for number in 0..more_fields {
        let _ = writeln!(head, "X-Example-{number}: the value of a field that nobody asks for");
    }
    head.push('\n');
    head
}

/// Writes a mail of so many bytes from that address; its Message-ID belongs to the address.
pub fn write(path: &Path, from: &str, bytes: u64) -> Result<()> {
    write_with(path, from, 0, bytes)
}

/// The same with more fields, of which otab knows none.
pub fn write_with(path: &Path, from: &str, more_fields: usize, bytes: u64) -> Result<()> {
    const LINE: &[u8] = b"Guten Tag, das ist eine Zeile von vielen, und noch ist kein Ende da.\n";
    let head = head(from, more_fields);
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(head.as_bytes())?;
    let mut left = bytes.saturating_sub(u64::try_from(head.len())?);
    while left > 0 {
        let line = &LINE[LINE.len() - usize::try_from(left)?.min(LINE.len())..];
        file.write_all(line)?;
        left -= u64::try_from(line.len())?;
    }
    Ok(file.into_inner()?.sync_all()?)
}

/// Writes any other input. Like mails it is on the disk before anything is measured: nobody's sync has it to write.
pub fn put(path: &Path, text: &str) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    Ok(file.sync_all()?)
}
