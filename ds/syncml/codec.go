package syncml

import "fmt"

// Encoding is how a message is written.
type Encoding int

// The encodings.
const (
	WBXML Encoding = iota
	XML
)

// UnmarshalText reads "wbxml" or "xml".
func (e *Encoding) UnmarshalText(text []byte) error {
	switch string(text) {
	case "wbxml":
		*e = WBXML
	case "xml":
		*e = XML
	default:
		return fmt.Errorf("%q is neither wbxml nor xml", text)
	}
	return nil
}
