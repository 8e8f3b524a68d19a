// The enums: the package has a constant for each of their values, and fields of their types.

package contracttest

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/agentphone/agentphone-go"
)

// The package has a constant for each value of an enum, and no others.
func TestContract_EnumsHaveAConstantForEachValue(t *testing.T) {
	want, got := readContract(t).enums, constantsOfThePackage(t)
	for name, values := range want {
		if unicode.IsUpper(rune(name[0])) { // the package has no type for the others
			assert.ElementsMatch(t, values, got[name], name)
		}
	}
	for name := range got {
		if slices.Contains([]string{"Outcome", "Failure", "DeliveryOutcome"}, name) {
			continue // they are the package's own, for hooks
		}
		assert.Contains(t, want, name, "constants of a type that is not in enums.json")
	}
}

// constantsOfThePackage reads the package's source and returns the values of its exported string constants, by their
// type. Those without a type whose names begin with Code count as of type Code.
func constantsOfThePackage(t *testing.T) map[string][]string {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	entries, err := os.ReadDir("../..")
	require.NoError(t, err)
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, "../../"+name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, file)
	}
	// Imported packages are not read: no constant depends on them. What does is reported as an error, and ignored.
	config := types.Config{IgnoreFuncBodies: true, Importer: noPackages{}, Error: func(error) {}}
	pkg, _ := config.Check("agentphone", fset, files, nil)
	out := map[string][]string{}
	for _, name := range pkg.Scope().Names() {
		c, ok := pkg.Scope().Lookup(name).(*types.Const)
		if !ok || !c.Exported() || c.Val().Kind() != constant.String {
			continue
		}
		typ := ""
		switch named, ok := c.Type().(*types.Named); {
		case ok:
			typ = named.Obj().Name()
		case strings.HasPrefix(name, "Code"):
			typ = "Code"
		default:
			continue
		}
		out[typ] = append(out[typ], constant.StringVal(c.Val()))
	}
	return out
}

// A field of a result or of parameters that is an enum has the type of that enum.
func TestContract_EnumFieldsHaveTheTypeOfTheEnum(t *testing.T) {
	api := readContract(t)
	for _, call := range jsonCalls() {
		t.Run(call.Name, func(t *testing.T) {
			op, result, err := callWithSample(t, api, call, sample)
			require.NoError(t, err)
			if !onlySucceeds(op) {
				assert.Empty(t, enumsOfOtherTypes("response", op.Response, reflect.TypeOf(result)))
			}
			params := newParams(call.Name)
			if !params.IsValid() {
				return
			}
			assert.Empty(t, enumsOfOtherTypes("body", op.Body, params.Elem().Type()))
			for name, typ := range op.Query {
				if field := queryField(params, name); field.IsValid() {
					assert.Empty(t, enumsOfOtherTypes(name, typ, field.Type()))
				}
			}
		})
	}
	events := api.operation(t, http.MethodGet, streamPath).Events
	assert.Empty(t, enumsOfOtherTypes("connected", events["connected"], reflect.TypeFor[agentphone.TranscriptConnectedData]()))
	assert.Empty(t, enumsOfOtherTypes("turn", events["turn"], reflect.TypeFor[agentphone.TranscriptEntry]()))
	assert.Empty(t, enumsOfOtherTypes("ended", events["ended"], reflect.TypeFor[agentphone.TranscriptEndedData]()))
}

// enumsOfOtherTypes lists the fields of typ that are enums in t and whose Go type has another name.
func enumsOfOtherTypes(at string, t *apiType, typ reflect.Type) (wrong []string) {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if get, ok := typ.MethodByName("Get"); ok && typ.Kind() == reflect.Struct { // an Optional
		typ = get.Type.Out(0)
	}
	switch {
	case t == nil || typ.Kind() == reflect.Map:
	case t.item != nil && typ.Kind() == reflect.Slice:
		return enumsOfOtherTypes(at+"[]", t.item, typ.Elem())
	case t.item != nil: // a bare list is a Page
		return enumsOfOtherTypes(at, &apiType{fields: map[string]*apiType{"data": t}}, typ)
	case t.values != nil:
		if unicode.IsUpper(rune(t.name[0])) && typ.Name() != t.name {
			return []string{fmt.Sprintf("%s is of type %s, not %s", at, typ, t.name)}
		}
	case t.fields != nil:
		names := map[string]string{"items": "data", "from_": "from"} // the only ones that differ
		for _, name := range keys(t.fields) {
			for _, field := range reflect.VisibleFields(typ) {
				if tag, _, _ := strings.Cut(field.Tag.Get("json"), ","); tag == cmp.Or(names[name], name) {
					wrong = append(wrong, enumsOfOtherTypes(at+"."+name, t.fields[name], field.Type)...)
				}
			}
		}
	}
	return wrong
}

// noPackages is an importer that reads nothing: every package is empty.
type noPackages struct{}

func (noPackages) Import(path string) (*types.Package, error) {
	pkg := types.NewPackage(path, path[strings.LastIndexByte(path, '/')+1:])
	pkg.MarkComplete()
	return pkg, nil
}
