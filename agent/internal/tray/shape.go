package tray

import (
	"image"
	"image/color"
	"math"
)

// grid is the side of the square in which shapes are drawn; pictures of other sizes are scaled.
const grid = 22

// shape is the distance of a point to the edge of what is drawn, negative inside.
type shape func(x, y float64) float64

// draw fills shapes with one colour. Edges are a pixel wide, so that they are smooth at any size.
func draw(size int, c color.NRGBA, shapes ...shape) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	scale := float64(size) / grid
	for py := range size {
		for px := range size {
			x, y := (float64(px)+0.5)/scale, (float64(py)+0.5)/scale
			covered := 0.0
			for _, s := range shapes {
				covered = max(covered, min(1, 0.5-s(x, y)*scale))
			}
			if covered > 0 {
				img.SetNRGBA(px, py, color.NRGBA{c.R, c.G, c.B, uint8(covered * float64(c.A))})
			}
		}
	}
	return img
}

func disc(cx, cy, r float64) shape {
	return func(x, y float64) float64 { return math.Hypot(x-cx, y-cy) - r }
}

func ring(cx, cy, r, width float64) shape {
	return func(x, y float64) float64 { return math.Abs(math.Hypot(x-cx, y-cy)-r) - width/2 }
}

// oval is a ring of another width than height, as nearly as these sizes need.
func oval(cx, cy, rx, ry, width float64) shape {
	return func(x, y float64) float64 {
		dx, dy := (x-cx)/rx, (y-cy)/ry
		d := math.Hypot(dx, dy)
		slope := math.Hypot(dx/rx, dy/ry) / max(d, 1e-9)
		return math.Abs(d-1)/max(slope, 1e-9) - width/2
	}
}

// line has round ends.
func line(x1, y1, x2, y2, width float64) shape {
	dx, dy := x2-x1, y2-y1
	return func(x, y float64) float64 {
		t := ((x-x1)*dx + (y-y1)*dy) / (dx*dx + dy*dy)
		t = max(0, min(1, t))
		return math.Hypot(x-x1-t*dx, y-y1-t*dy) - width/2
	}
}

// arc is a part of a ring, from and to in degrees, clockwise from the right.
func arc(cx, cy, r, width, from, to float64) shape {
	whole := ring(cx, cy, r, width)
	x1, y1 := polar(cx, cy, r, from)
	x2, y2 := polar(cx, cy, r, to)
	return func(x, y float64) float64 {
		a := math.Mod(math.Atan2(y-cy, x-cx)*180/math.Pi-from+720, 360)
		if a <= to-from {
			return whole(x, y)
		}
		return min(math.Hypot(x-x1, y-y1), math.Hypot(x-x2, y-y2)) - width/2
	}
}

func polar(cx, cy, r, degrees float64) (x, y float64) {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return cx + r*cos, cy + r*sin
}

// corner is a filled triangle.
func corner(x1, y1, x2, y2, x3, y3 float64) shape {
	a, b, c := edge(x1, y1, x2, y2), edge(x2, y2, x3, y3), edge(x3, y3, x1, y1)
	if a(x3, y3) > 0 { // the corners go round the other way
		a, b, c = edge(x2, y2, x1, y1), edge(x3, y3, x2, y2), edge(x1, y1, x3, y3)
	}
	return func(x, y float64) float64 { return max(a(x, y), b(x, y), c(x, y)) }
}

// edge is the side of a line on which a point lies.
func edge(x1, y1, x2, y2 float64) shape {
	dx, dy := x2-x1, y2-y1
	n := math.Hypot(dx, dy)
	return func(x, y float64) float64 { return ((x-x1)*dy - (y-y1)*dx) / n }
}
