package tray

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"
)

var states = []State{Off, Checking, InSync, Syncing, Offline, Lost, Portal, NeedsYou, Paused, Down}

// TestShapesDiffer: without colours, too, no state looks like another one, at the size of most panels.
func TestShapesDiffer(t *testing.T) {
	for i, a := range states {
		one := Draw(a, Light, grid)
		if inked(one) < 25 {
			t.Errorf("%s has %d dots only", a, inked(one))
		}
		for _, b := range states[:i] {
			if n := different(one, Draw(b, Light, grid)); n < 12 {
				t.Errorf("%s and %s differ in %d dots only", a, b, n)
			}
		}
	}
	if len(states) != len(pictures) {
		t.Error("a state has no picture, or is not tested")
	}
}

// solid tells whether a pixel can be seen well.
func solid(img image.Image, x, y int) bool { _, _, _, a := img.At(x, y).RGBA(); return a > 0x9000 }

func inked(img image.Image) int { return different(img, image.NewNRGBA(img.Bounds())) }

func different(a, b image.Image) (n int) {
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if solid(a, x, y) != solid(b, x, y) {
				n++
			}
		}
	}
	return n
}

// TestColours: green is for what is in sync, and every colour can be seen on dark and on light panels (3:1, as WCAG 2.1 has it for pictures).
func TestColours(t *testing.T) {
	for s, p := range pictures {
		if (p.colour == green) != (s == InSync) {
			t.Errorf("%s is %v", s, p.colour)
		}
		for _, panel := range []color.NRGBA{{0xff, 0xff, 0xff, 0xff}, {0x2b, 0x2b, 0x2b, 0xff}} {
			if c := contrast(p.colour, panel); c < 3 {
				t.Errorf("%s on %v: 1:%.1f", s, panel, c)
			}
		}
	}
}

func contrast(a, b color.NRGBA) float64 {
	l, m := luminance(a), luminance(b)
	return (max(l, m) + 0.05) / (min(l, m) + 0.05)
}

func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func TestFiles(t *testing.T) {
	for _, theme := range []Theme{Colour, Light, Dark} {
		if got, err := ParseTheme(string(theme)); err != nil || got != theme {
			t.Error(got, err)
		}
		for _, s := range states {
			img, err := png.Decode(bytes.NewReader(PNG(s, theme)))
			if err != nil || img.Bounds().Dx() != 44 {
				t.Fatal(s, err)
			}
			checkICO(t, ICO(s, theme))
		}
	}
	if _, err := ParseTheme("pink"); err == nil {
		t.Error("there are pink icons")
	}
}

// checkICO reads the directory of an ICO file: six octets, and sixteen for each picture.
func checkICO(t *testing.T, file []byte) {
	t.Helper()
	for i := range int(file[4]) {
		e := file[6+16*i:]
		size, at := binary.LittleEndian.Uint32(e[8:]), binary.LittleEndian.Uint32(e[12:])
		img, err := png.Decode(bytes.NewReader(file[at : at+size]))
		if err != nil || img.Bounds().Dx() != int(e[0]) {
			t.Errorf("picture %d: %v", i, err)
		}
	}
}
