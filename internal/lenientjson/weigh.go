package lenientjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// maxDepth is how deep arrays and objects may be nested in a text that Weigh accepts.
const maxDepth = 200

// Weigh returns about how many bytes of memory it takes at most to decode data into a value of the type t, beyond that of
// the value itself. That depends on the type: {} is two bytes of JSON, and nothing, hundreds of bytes or a map in memory.
// A weight over limit is not exact; that of a text which nests too deep is over limit too.
func Weigh(data []byte, t reflect.Type, limit int) int {
	w := weigher{in: data, limit: limit}
	w.value(shapeOf(t))
	return w.weight
}

// maxLight is the length of the longest text that is never heavy: a byte takes a thousand at most.
const maxLight = 32 << 10

// IsHeavy reports whether it may take more than limit bytes of memory to decode data into a value of the type t.
func IsHeavy(data []byte, t reflect.Type, limit int) bool {
	return len(data) > maxLight && Weigh(data, t, limit) > limit
}

// weigher goes once over a JSON text, which need not be valid: nothing is decoded of what is behind its first mistake.
type weigher struct {
	in            []byte
	at            int
	depth         int
	weight, limit int
}

const (
	header = 16 // bytes of a string, an interface, or the smallest things in memory
	// growth is how much more memory a slice takes while it grows: the new array is up to 1.25 times as large as the old one, which
	// is not gone yet.
	growth = 3
)

// add adds to the weight. At the limit it moves to the end of the text.
func (w *weigher) add(n int) {
	if w.weight += n; w.weight > w.limit {
		w.at = len(w.in)
	}
}

// peek returns the next byte that is not white space, or 0 at the end.
func (w *weigher) peek() byte {
	for ; w.at < len(w.in); w.at++ {
		switch c := w.in[w.at]; c {
		case ' ', '\n', '\r', '\t':
		default:
			return c
		}
	}
	return 0
}

// value weighs the next value, which is decoded into one of the shape s, or skipped if s is nil.
func (w *weigher) value(s *shape) {
	if s == nil {
		s = skipped
	}
	for ; s.kind == pointer && w.weight <= w.limit; s = s.elem {
		w.add(max(s.elem.size, header/2))
	}
	w.peek()
	start := w.at
	switch w.peek() {
	case '{':
		if s.kind == table || s.kind == anything {
			w.add(3 * header)
		}
		w.items('}', func(i int) { w.value(w.member(s, i)) })
	case '[':
		w.list(s)
	case '"':
		n := w.text()
		switch {
		case s.kind == text:
			w.add(header + n)
		case s.kind == anything:
			w.add(2*header + n)
		}
	default:
		for w.at < len(w.in) && bytes.IndexByte([]byte(",:]}[{\" \t\r\n"), w.in[w.at]) < 0 {
			w.at++
		}
		switch {
		case w.at == start:
			w.at = len(w.in) // no JSON
		case s.kind == text:
			w.add(header + w.at - start)
		case s.kind == anything:
			w.add(header)
		}
	}
	if s.kind == raw {
		w.add(w.at - start)
	}
}

// list weighs an array.
func (w *weigher) list(s *shape) {
	if s.kind == object && s.list != nil {
		s = s.list
	}
	var item *shape
	each := 0
	switch s.kind {
	case slice:
		item, each = s.elem, growth*s.elem.size
	case anything:
		item, each = interfaces, growth*header
		if s != interfaces {
			each = unknownStruct
		}
	}
	if each > 0 {
		w.add(2 * header)
	}
	w.items(']', func(int) {
		w.add(each)
		w.value(item)
	})
}

// member passes the name of the ith member of an object and returns the shape of its value.
func (w *weigher) member(s *shape, i int) *shape {
	if w.peek() != '"' {
		w.at = len(w.in)
		return nil
	}
	start := w.at + 1
	n := w.text()
	if w.peek() == ':' {
		w.at++
	}
	switch s.kind {
	case object:
		return w.field(s, w.in[start:start+n])
	case table, anything:
	default:
		return nil
	}
	switch slot := header + s.elem.size; {
	case i == 0:
		w.add(8 + 8*slot) // a map that is not empty has room for eight
	case i >= 8:
		w.add(slot * 7 / 2) // and doubles its size when it is nearly full
	}
	w.add(header + n)
	return s.elem
}

// field returns the shape of the field with a name in JSON, as it is found by encoding/json, which ignores case.
func (w *weigher) field(s *shape, name []byte) *shape {
	if len(name) > 6*s.longest { // as \u0061
		return nil
	}
	var buffer [64]byte
	lower := buffer[:0]
	for _, c := range name {
		if c == '\\' || c >= 0x80 {
			w.add(len(name) + 4*header) // it takes time too
			return s.oddField(name)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower = append(lower, c)
	}
	return s.fields[string(lower)]
}

// items passes an array or an object, calling item at the beginning of each of its items.
func (w *weigher) items(end byte, item func(i int)) {
	if w.depth++; w.depth > maxDepth {
		w.add(w.limit + 1)
	}
	w.at++
	for i := 0; ; i++ {
		for w.peek() == ',' {
			w.at++
		}
		switch c := w.peek(); c {
		case '}', ']', 0:
			if w.at++; c != end {
				w.at = len(w.in)
			}
			w.depth--
			return
		}
		item(i)
	}
}

// text passes a string and returns the number of bytes between its quotes.
func (w *weigher) text() int {
	start := w.at + 1
	for i := start; ; i++ {
		n := bytes.IndexByte(w.in[min(i, len(w.in)):], '"')
		if n < 0 {
			w.at = len(w.in)
			return len(w.in) - min(start, len(w.in))
		}
		i += n
		escapes := 0
		for i-1-escapes >= start && w.in[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			w.at = i + 1
			return i - start
		}
	}
}

// shape is what matters of a type to how much memory its values take.
type shape struct {
	kind    shapeKind
	size    int               // of a value, without what it points to
	elem    *shape            // pointer, slice, table; anything: of a member
	fields  map[string]*shape // object: by their names in lower case
	longest int               // object: length of the longest name
	list    *shape            // object: its first slice. An array where such an object is due may be decoded into it.
}

type shapeKind uint8

const (
	fixed  shapeKind = iota // a number or a boolean: it takes its size
	text                    // a string
	raw                     // json.RawMessage
	object                  // a struct
	pointer
	slice    // also an array
	table    // a map
	anything // an interface, or a type with an UnmarshalJSON of its own, which may keep all that is in an array or object
)

var (
	skipped    = &shape{}
	interfaces = &shape{kind: anything, size: header}
	// ownMember is the shape of a member of a type with an UnmarshalJSON, which may decode a list there into structs.
	ownMember = &shape{kind: anything, size: header, elem: interfaces}
)

func init() { interfaces.elem = interfaces }

// unknownStruct is how many bytes an item of such a list takes, while the list grows.
const unknownStruct = 512

func (s *shape) oddField(name []byte) *shape {
	var plain string
	_ = json.Unmarshal([]byte(`"`+string(name)+`"`), &plain)
	for field, shape := range s.fields {
		if strings.EqualFold(field, plain) {
			return shape
		}
	}
	return nil
}

var (
	shapes          sync.Map // of reflect.Type to *shape
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s, _ := shapes.LoadOrStore(t, buildShape(t, map[reflect.Type]*shape{}))
	return s.(*shape)
}

// buildShape returns the shape of t. built has those that are built already, or are being built.
func buildShape(t reflect.Type, built map[reflect.Type]*shape) *shape {
	if s := built[t]; s != nil {
		return s
	}
	s := &shape{size: int(t.Size())}
	built[t] = s
	to := reflect.PointerTo(t)
	switch kind := t.Kind(); {
	case t == reflect.TypeFor[json.RawMessage]():
		s.kind = raw
	case kind == reflect.Interface:
		return interfaces
	case kind == reflect.Pointer:
		s.kind, s.elem = pointer, buildShape(t.Elem(), built)
	case to.Implements(unmarshaler):
		s.kind, s.elem = anything, ownMember
	case kind == reflect.String, to.Implements(textUnmarshaler):
		s.kind = text
	case kind == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		s.kind = text // base64
	case kind == reflect.Slice, kind == reflect.Array:
		s.kind, s.elem = slice, buildShape(t.Elem(), built)
	case kind == reflect.Map:
		s.kind, s.elem = table, buildShape(t.Elem(), built)
	case kind == reflect.Struct:
		s.kind, s.fields = object, map[string]*shape{}
		for _, field := range reflect.VisibleFields(t) {
			s.add(field, built)
		}
	}
	return s
}

func (s *shape) add(field reflect.StructField, built map[reflect.Type]*shape) {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	switch {
	case name == "-" || !field.IsExported() || field.Anonymous && name == "":
		return
	case name == "":
		name = field.Name
	}
	of := buildShape(field.Type, built)
	s.fields[strings.ToLower(name)] = of
	s.longest = max(s.longest, len(name))
	if s.list == nil && field.Type.Kind() == reflect.Slice {
		s.list = of
	}
}
