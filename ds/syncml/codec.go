package syncml

// Encoding is how a message is written.
type Encoding int

// The encodings.
const (
	WBXML Encoding = iota
	XML
)
