#!/usr/bin/perl
# Reads mails as OTOBO does, with the modules that OTOBO uses, and says what it found.
#
# Standard input: for each mail its length in bytes as a line, then its bytes. Standard output, for each
# mail: "N name" for each field in order, "F name value" for each field name (values joined), "S address" for the sender,
# if there is one, "B md5" for the body, and "." at the end. Names, values and addresses are in hexadecimal.
use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Encode qw(decode encode_utf8);
use Mail::Address;
use Mail::Internet;

binmode STDIN;
binmode STDOUT;
$| = 1;
local $SIG{__WARN__} = sub { };

# Raw 8-bit text is UTF-8 where it can be, else Latin-1.
sub characters {
    my ($bytes) = @_;
    my $text = eval { decode( 'UTF-8', my $copy = $bytes, Encode::FB_CROAK ) };
    return defined $text ? $text : decode( 'ISO-8859-1', $bytes );
}

# RFC 2047, as tolerant as Perl's decoder is; text in, characters out.
sub decoded {
    my ($text) = @_;
    my $characters = eval { decode( 'MIME-Header', $text ) };
    return defined $characters ? $characters : $text;
}

# From is split into addresses, each part is decoded and put together again, and the result is read once
# more: the last address with an at sign is the sender.
sub sender {
    my ($value) = @_;
    my @again;
    for my $address ( eval { Mail::Address->parse($value) } ) {
        my @parts = map { defined $_ ? decoded($_) : '' } $address->phrase, $address->address, $address->comment;
        push @again, Mail::Address->new(@parts)->format;
    }
    my @read = eval { Mail::Address->parse( join ', ', @again ) };
    return if !@read;
    my $last = $read[-1]->address;
    return defined $last && $last =~ /\@/ ? $last : undef;
}

sub hex_of { return unpack 'H*', encode_utf8( $_[0] ) }

while ( defined( my $length = <STDIN> ) ) {
    my $mail = '';
    read( STDIN, $mail, $length ) == $length or die "short mail\n";
    my @lines = $mail =~ /([^\n]*\n|[^\n]+)/g;
    my $read = Mail::Internet->new( \@lines, Modify => 0 );
    my $head = $read->head;
    for my $field ( @{ $head->header } ) {
        print 'N ', unpack( 'H*', lc $1 ), "\n" if $field =~ /^([^:]+):/;
    }
    for my $name ( sort $head->tags ) {
        my $value = join ' ', map { my $v = characters($_); $v =~ s/[\r\n]//g; $v =~ s/^\s+//; $v =~ s/\s+$//; $v } $head->get($name);
        my $text = lc $name eq 'from' ? $value : decoded($value);
        print 'F ', unpack( 'H*', lc $name ), ' ', hex_of($text), "\n";
        if ( lc $name eq 'from' ) {
            my $sender = sender($value);
            print 'S ', hex_of($sender), "\n" if defined $sender;
        }
    }
    print 'B ', md5_hex( join '', @{ $read->body } ), "\n.\n";
}
