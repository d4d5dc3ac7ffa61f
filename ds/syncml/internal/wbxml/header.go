package wbxml

import "strings"

// header reads what comes before the root element.
func (r *Reader) header() error {
	version, err := r.byte()
	if err != nil {
		return err
	}
	if version > 0x03 {
		return r.fail("version octet %#02x is not WBXML 1.0 to 1.3", version)
	}
	id, err := r.uint()
	if err != nil {
		return err
	}
	index := uint32(0)
	if id == 0 {
		if index, err = r.uint(); err != nil {
			return err
		}
	}
	if version > 0 { // WBXML 1.0 has no charset
		if err := r.readCharset(); err != nil {
			return err
		}
	}
	if r.strings, err = r.bytes("string table"); err != nil {
		return err
	}
	return r.chooseLanguage(id, index)
}

// Charsets, as MIBenum.
const (
	charsetUnknown = 0
	charsetASCII   = 3
	charsetLatin1  = 4
	charsetUTF8    = 106
)

func (r *Reader) readCharset() (err error) {
	if r.charset, err = r.uint(); err != nil {
		return err
	}
	switch r.charset {
	case charsetUnknown, charsetASCII, charsetLatin1, charsetUTF8:
		return nil
	}
	return r.fail("charset %d is neither UTF-8 nor Latin-1", r.charset)
}

func (r *Reader) chooseLanguage(id, index uint32) error {
	if id != 0 {
		if lang, ok := publicIDs[id]; ok {
			r.Lang = lang
		} else if id != 1 {
			return r.fail("public id %#x is no SyncML", id)
		}
		return nil
	}
	text, err := r.table(index)
	if err != nil {
		return err
	}
	switch name := strings.ToUpper(string(text)); {
	case strings.Contains(name, "DTD SYNCML"), strings.Contains(name, "DTD METINF"):
		r.Lang = SyncML
	case strings.Contains(name, "DTD DEVINF"):
		r.Lang = DevInf
	case strings.Contains(name, "DTD-DM-DDF"):
		r.Lang = DDF
	default:
		return r.fail("public id %q is no SyncML", text)
	}
	return nil
}
