package mail

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// cutText is the content of a text of which at most limit octets stay, with a note behind them. ok is false if such a text cannot be cut.
func (p *part) cutText(limit int64, nl string) (cut []byte, ok bool) {
	content := p.content()
	if !p.cuttable() {
		return nil, false
	}
	t := decode(content[:min(max(limit, 0), int64(len(content)))], p.encoding)
	end := safeEnd(t, p.charset())
	if p.media.typ == "text/html" {
		end = min(end, tagEnd(t[:end]))
	}
	t = bytes.TrimRight(t[:end], "\r\n")
	note := cutNote(max(p.size()-int64(len(t)), 0), p.media.typ, nl)
	return encode(append(t[:len(t):len(t)], note...), p.encoding, nl), true
}

// cuttable: a note can be written behind it, and no signature goes over it.
func (p *part) cuttable() bool {
	known := plainEncoding(p.encoding) || p.encoding == "base64" || p.encoding == "quoted-printable"
	return known && (p.media.typ == "text/plain" || p.media.typ == "text/html") && p.extendsASCII() &&
		!bytes.Contains(p.content(), []byte("-----BEGIN PGP "))
}

func (p *part) charset() string { return strings.ToLower(p.media.params["charset"]) }

// extendsASCII tells whether a note in ASCII can be read in the character set of p.
func (p *part) extendsASCII() bool {
	for _, other := range []string{"utf-16", "utf16", "utf-32", "utf32", "ucs-", "iso-10646", "utf-7", "utf7", "unicode"} {
		if strings.Contains(p.charset(), other) {
			return false
		}
	}
	return true
}

// safeEnd is how much of a text that was cut anywhere ends with a whole character. Where characters have several octets that are not
// told apart, it is the end of the last line; there shifts are over, too (RFC 1468).
func safeEnd(t []byte, charset string) int {
	if !oneByOne(charset) {
		return bytes.LastIndexByte(t, '\n') + 1
	}
	for i := 1; i < utf8.UTFMax && i <= len(t); i++ {
		if last := t[len(t)-i:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				return len(t) - i
			}
			break
		}
	}
	return len(t)
}

// oneByOne tells whether text of a character set can be cut where UTF-8 can be: UTF-8 itself, and all with one octet for each character.
func oneByOne(charset string) bool {
	for _, begin := range []string{"utf-8", "utf8", "us-ascii", "ascii", "ansi_x3", "iso-8859", "iso8859", "windows-125", "cp125", "koi8", "latin", "macintosh", "ibm"} {
		if strings.HasPrefix(charset, begin) {
			return true
		}
	}
	return charset == ""
}

// tagEnd is how much of HTML can stay so that a paragraph behind it is seen: no tag, comment, script or style is open.
func tagEnd(t []byte) int {
	low := bytes.ToLower(t)
	if len(low) != len(t) { // odd characters: their case takes another number of octets
		low = t
	}
	end := len(t)
	for _, pair := range [][2]string{{"<", ">"}, {"<!--", "-->"}, {"<style", "</style"}, {"<script", "</script"}, {"<title", "</title"}, {"<textarea", "</textarea"}} {
		if open := bytes.LastIndex(low, []byte(pair[0])); open > bytes.LastIndex(low, []byte(pair[1])) {
			end = min(end, open)
		}
	}
	return end
}
