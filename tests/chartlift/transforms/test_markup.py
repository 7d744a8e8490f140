"""Notes in HTML and RTF: what their text is, and that no input, however broken, takes long or stops the reader."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartlift.transforms import markup, rtf
from chartlift.transforms.canonical import clean


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<P>one<P>two", "one\ntwo"),
        ("one<br>two<br/><br />four", "one\ntwo\n\nfour"),
        ("<p>one<br></p><p>two</p>", "one\ntwo"),
        ("<div><div>a</div></div>\n  <div>b</div>", "a\nb"),
        ("<ul>\n <li>a</li>\n <li>b</li>\n</ul>c", "a\nb\nc"),
        ("<h1>Exam</h1>text", "Exam\ntext"),
        ("<table><tr><td>36</td><td>MOD</td></tr><tr><td>37</td></tr></table>", "36 MOD\n37"),
        ("a <b>bold</b> and<i> it</i>.", "a bold and it."),
        ("a\n  b\tc", "a\n  b\tc"),
        ("<p>a\n  b\tc</p>", "a b c"),
        ("<pre>a\n  b</pre>c", "a\n  b\nc"),
        ("&lt;4mm &amp; &eacute; &#233; &#x1F600; &pound;5", "<4mm & é é 😀 £5"),
        ("a&nbsp;b", "a\u00a0b"),
        ("<script>alert('<p>')</script>a<style>p{}</style>b", "ab"),
        ("<STYLE>x</Style >a", "a"),
        ("a<!-- <p>no</p> -->b<!DOCTYPE html><?xml?>c", "abc"),
        ("a<!-- open", "a<!-- open"),
        ("<a title=\"x > y\" href='q>'>link</a>", "link"),
        ("<p don't>a</p>", "a"),
        ("BPE <4 and >2 <b>x</b>", "BPE <4 and >2 x"),
        ("<b>see <Smith> note", "see <Smith> note"),
        ("<o:p>word</o:p>", "word"),
        ("x < y <", "x < y <"),
        ("<b", "<b"),
        ("<b>half &am", "half &am"),
        ("<p></p>", None),
    ],
)
def test_html_as_text(html: str, text: str | None) -> None:
    assert clean(markup.plain_text(html)) == text


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (r"{\rtf1\ansi one\par two\line three}", "one\ntwo\nthree"),
        (r"{\rtf1\ansi{\fonttbl{\f0\fswiss Arial;}{\f1\fcharset238 Arial CE;}}{\colortbl;\red0;}\f0 a}", "a"),
        (r"{\rtf1\ansi\ansicpg1252 Caf\'e9 \'80 5}", "Café € 5"),
        (r"{\rtf1\ansi{\fonttbl{\f1\fcharset238 X;}}\f1 \'f8\plain \'f8}", "řø"),
        (r"{\rtf1\ansi\uc1 \u8217?s \u8364\'805}", "\u2019s €5"),
        (r"{\rtf1\uc2\u8217??s{\uc0\u233}x}", "\u2019séx"),
        (r"{\rtf1 \u-10179?\u-8704?}", "😀"),
        (r"{\rtf1 \u-10179?x}", "\ufffdx"),
        (r"{\rtf1{\*\generator Word 11;}{\info{\author A}{\title T}}text}", "text"),
        (r"{\rtf1{\header page 1}body{\footer end}}", "body"),
        (r"{\rtf1 a{\*\annotation see x-ray}b}", "asee x-rayb"),
        (r"{\rtf1 {\pict\wmetafile8 010203}a{\*\shppict{\pict 00}}b}", "ab"),
        ("{\\rtf1 a{\\pict\\bin5 }}{{\\}b}", "ab"),
        (r"{\rtf1 brace \{x\} back\\slash a\~b\-c\_d\tab e}", "brace {x} back\\slash a\u00a0bc\u2011d\te"),
        ("{\\rtf1 li\r\nne\\\r\nnext}", "line\nnext"),
        (r"{\rtf1{\field{\*\fldinst HYPERLINK " + '"http://x"' + r"}{\fldrslt link}}}", "link"),
        (r"{\rtf1\trowd 36\cell MOD\cell\row 37\cell\row}", "36\tMOD\n37"),
        (r"{\rtf1 open {group", "open group"),
        (r"{\rtf1 a}}} b", "a b"),
        ("{\\rtf1 end\\", "end"),
        (r"{\rtf1\ansicpg9999 \'e9}", "é"),
        (r"{\rtf1\ansicpg65001 \'c3\'a9}", "é"),
        (r"{\rtf1\mac \'8e}", "é"),
        ("{\\rtf1 raw é \u2014 한}", "raw é \u2014 한"),
    ],
)
def test_rtf_as_text(document: str, text: str) -> None:
    lines = (clean(rtf.plain_text(document)) or "").split("\n")
    assert "\n".join(line.rstrip() for line in lines) == text


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        "<!--",
        "</",
        "<![",
        "<a b='",
        "&",
        "<script>",
        "<?",
        '<a b="c" ',
        '<a =">',
        "<a ='\"> ",
        "<pre>",
        "<p>x</p>",
        "<a ='\">'",
        "= '",
    ],
)
def test_broken_html_takes_linear_time(piece: str) -> None:
    assert_quick(markup.plain_text, piece)
    assert_quick(markup.plain_text, "<b>" + piece)


@pytest.mark.parametrize(
    "piece",
    [
        "{",
        "}",
        "\\",
        "\\'",
        "{\\field{\\*\\fldinst{",
        "\\u1?",
        "\\uc9999999999 \\u1 ",
        "\\'e9",
        "\\bin9 ",
        "{\\fonttbl{\\f1",
        "\\par\n",
    ],
)
def test_broken_rtf_takes_linear_time(piece: str) -> None:
    assert_quick(rtf.plain_text, "{\\rtf1 " + piece)


def assert_quick(read: Callable[[str], str], piece: str) -> None:
    begun = time.process_time()
    read(piece * (300_000 // len(piece)))
    assert time.process_time() - begun < 2


@given(st.text(st.sampled_from("<>/!-&;='\" \nabpr{}\\*u1é"), max_size=60))
@settings(max_examples=500, deadline=None)
def test_no_text_stops_the_readers(text: str) -> None:
    markup.plain_text("<b>" + text)
    rtf.plain_text("{\\rtf1 " + text).encode()


@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<br>", "<b>", "</i>", "<td>", "<li>", "&amp;", "word ", "x", " ", "\n", "<!-- c -->"]
        ),
        max_size=30,
    )
)
@settings(max_examples=300, deadline=None)
def test_no_letter_is_lost(pieces: list[str]) -> None:
    text = markup.plain_text("".join(pieces))
    assert text.count("word") == pieces.count("word ")
    assert text.count("x") == pieces.count("x")
    assert text.count("&") == pieces.count("&amp;")
    assert "<" not in text
