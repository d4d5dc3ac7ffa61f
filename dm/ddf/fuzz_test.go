package ddf_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// FuzzParse reads trees: what could be read is written so that it reads the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(accounts))
	pimtest.Seed(f, 25_000, "dm", "syncml-wbxml/wbxml-stream")
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := ddf.Parse(in)
		if err != nil {
			return
		}
		out, err := first.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ddf.Parse(out)
		if err != nil || !reflect.DeepEqual(first, again) {
			t.Errorf("%v (-first +again):\n%s", err, cmp.Diff(first, again))
		}
		if err := ddf.NewSchema().Add(nil, again); err != nil {
			return
		}
	})
}
