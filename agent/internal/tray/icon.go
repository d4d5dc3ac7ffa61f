package tray

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

// Theme is how icons are coloured.
type Theme string

// The themes. Colour can be told from dark and light panels alike; the others are of one colour for those who want that.
const (
	Colour Theme = "colour"
	Light  Theme = "light" // for dark panels
	Dark   Theme = "dark"  // for light panels
)

// ParseTheme reads the name of a theme.
func ParseTheme(s string) (Theme, error) {
	switch t := Theme(s); t {
	case Colour, Light, Dark:
		return t, nil
	}
	return "", fmt.Errorf("there are no icons %q, only %s, %s (for dark panels) and %s (for light panels)", s, Colour, Light, Dark)
}

var (
	grey   = color.NRGBA{0x8a, 0x8a, 0x8a, 0xff}
	green  = color.NRGBA{0x1f, 0x93, 0x43, 0xff}
	blue   = color.NRGBA{0x2b, 0x7d, 0xe0, 0xff}
	orange = color.NRGBA{0xc9, 0x6a, 0x0a, 0xff}
	red    = color.NRGBA{0xe0, 0x3c, 0x31, 0xff}
)

// picture is how a state looks: each has a shape of its own, so that the colour is not needed to tell it.
type picture struct {
	colour color.NRGBA
	shapes []shape
}

// hoop is the ring that most states have.
var hoop = ring(11, 11, 8, 2)

var pictures = map[State]picture{
	Off:      {grey, []shape{hoop}},
	Checking: {blue, []shape{hoop, disc(7, 11, 1.25), disc(11, 11, 1.25), disc(15, 11, 1.25)}},
	InSync:   {green, []shape{hoop, line(7.5, 11.2, 10, 13.7, 2.2), line(10, 13.7, 14.6, 8.6, 2.2)}},
	Syncing: {blue, []shape{
		arc(11, 11, 7.5, 2.2, 200, 315), corner(19.9, 2.6, 19.9, 9.6, 12.9, 9.6),
		arc(11, 11, 7.5, 2.2, 20, 135), corner(2.1, 19.4, 2.1, 12.4, 9.1, 12.4)}},
	Offline:  {orange, []shape{hoop, line(8, 11, 14, 11, 2)}},
	Lost:     {orange, []shape{hoop, line(3.5, 18.5, 18.5, 3.5, 2.2)}},
	Portal:   {orange, []shape{hoop, oval(11, 11, 3.6, 8, 1.4), line(3.5, 11, 18.5, 11, 1.4)}},
	NeedsYou: {red, []shape{hoop, line(11, 7, 11, 12, 2.2), disc(11, 15.2, 1.4)}},
	Paused:   {grey, []shape{line(7, 5, 7, 17, 4), line(15, 5, 15, 17, 4)}},
	Down: {grey, []shape{
		arc(11, 7.6, 4.2, 2.4, 170, 390), line(14.6, 9.7, 11.6, 11.8, 2.4), line(11.3, 12.1, 11.2, 13.6, 2.4), disc(11.1, 18, 1.6)}},
}

// Draw is the icon of a state.
func Draw(s State, t Theme, size int) image.Image {
	p, c := pictures[s], color.NRGBA{}
	switch t {
	case Light:
		c = color.NRGBA{0xf2, 0xf2, 0xf2, 0xff}
	case Dark:
		c = color.NRGBA{0x2a, 0x2a, 0x2a, 0xff}
	default:
		c = p.colour
	}
	return draw(size, c, p.shapes...)
}

// PNG is the icon of a state as a file. Its sides are twice those of most panels, which halve it to sharp edges.
func PNG(s State, t Theme) []byte { return encode(Draw(s, t, 2*grid)) }

func encode(img image.Image) []byte {
	var out bytes.Buffer
	png.Encode(&out, img) //nolint:errcheck // into memory
	return out.Bytes()
}

// ICO is the icon of a state as Windows wants it, in the sizes of its notification area.
func ICO(s State, t Theme) []byte {
	type entry struct {
		Width, Height, Colours, Zero byte
		Planes, Bits                 uint16
		Size, At                     uint32
	}
	var head, body bytes.Buffer
	sizes := []int{16, 20, 24, 32}
	binary.Write(&head, binary.LittleEndian, []uint16{0, 1, uint16(len(sizes))}) //nolint:errcheck // into memory
	start := 6 + 16*len(sizes)
	for _, n := range sizes {
		file := encode(Draw(s, t, n))
		e := entry{byte(n), byte(n), 0, 0, 1, 32, uint32(len(file)), uint32(start + body.Len())}
		binary.Write(&head, binary.LittleEndian, e) //nolint:errcheck // into memory
		body.Write(file)
	}
	return append(head.Bytes(), body.Bytes()...)
}
