package say

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// root is that of the module.
const root = "../../.."

// source is the code of some folders, without tests.
type source struct {
	set   *token.FileSet
	files map[string]*ast.File // by their path from the root
}

func parse(t *testing.T, folders ...string) source {
	t.Helper()
	s := source{token.NewFileSet(), map[string]*ast.File{}}
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(s.set, path, nil, parser.SkipObjectResolution)
			rel, _ := filepath.Rel(root, path)
			s.files[filepath.ToSlash(rel)] = f
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// text is what an expression of strings is put together from, with %s for each part that is not constant; "" if there is nothing constant in it.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return s
		}
	case *ast.ParenExpr:
		return text(e.X)
	case *ast.BinaryExpr:
		left, right := text(e.X), text(e.Y)
		switch {
		case e.Op != token.ADD || left == "" && right == "":
			return ""
		case left == "":
			left = "%s"
		case right == "":
			right = "%s"
		}
		return left + right
	}
	return ""
}

// texts calls found for each text, as long as it gets by putting it together.
func (s *source) texts(found func(file, text string, at ast.Expr)) {
	for file, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				return false
			case *ast.Field:
				if n.Type != nil {
					return n.Tag == nil
				}
			case *ast.BinaryExpr:
				if t := text(n); t != "" {
					found(file, t, n)
					ast.Inspect(n, func(inner ast.Node) bool { // calls within it have texts of their own
						if c, ok := inner.(*ast.CallExpr); ok {
							for _, a := range c.Args {
								s.within(a, file, found)
							}
							return false
						}
						return true
					})
					return false
				}
			case *ast.BasicLit:
				if t := text(n); t != "" {
					found(file, t, n)
				}
			}
			return true
		})
	}
}

func (s *source) within(e ast.Expr, file string, found func(file, text string, at ast.Expr)) {
	ast.Inspect(e, func(n ast.Node) bool {
		if x, ok := n.(ast.Expr); ok {
			if t := text(x); t != "" {
				found(file, t, x)
				return false
			}
		}
		return true
	})
}
