package torchpt

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValues(t *testing.T) {
	huge := new(big.Int).Lsh(big.NewInt(1), 63)
	tests := []struct {
		name, body string
		want       any
	}{
		{"None", "N", nil},
		{"True", "\x88", true},
		{"one byte", "K\xff", int64(255)},
		{"two bytes", "M\xff\xff", int64(65535)},
		{"four bytes", "J\xfe\xff\xff\xff", int64(-2)},
		{"long of nothing", "\x8a\x00", int64(0)},
		{"negative long", "\x8a\x01\xff", int64(-1)},
		{"long beyond 64 bits", "\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00", huge},
		{"negative long beyond 64 bits", "\x8b\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff", new(big.Int).Lsh(big.NewInt(-1), 64)},
		{"float", "G\xbf\xf8\x00\x00\x00\x00\x00\x00", -1.5},
		{"short string", "\x8c\x02\xc3\xa9", "é"},
		{"string", text("abc"), "abc"},
		{"long string", "\x8d\x01\x00\x00\x00\x00\x00\x00\x00a", "a"},
		{"short bytes", "C\x02\x00\xff", []byte{0, 255}},
		{"bytes", "B\x01\x00\x00\x00x", []byte("x")},
		{"bytes of protocol 2", class2("_codecs", "encode") + tuple(text("a\u00ff"), text("latin1")) + "R", []byte{'a', 255}},
		{"empty tuple", ")", Tuple{}},
		{"tuples by count", "K\x01\x85K\x02\x86K\x03K\x04\x87", Tuple{Tuple{Tuple{int64(1)}, int64(2)}, int64(3), int64(4)}},
		{"list", "](K\x01K\x02eNa", &List{[]any{int64(1), int64(2), nil}}},
		{"set", "\x8f(K\x01\x90", &Set{[]any{int64(1)}}},
		{"set of protocol 2", class2("__builtin__", "set") + "](K\x01e\x85R", &Set{[]any{int64(1)}}},
		{"frozen set", "(K\x01\x91", &Set{[]any{int64(1)}}},
		{"dtype", class2("torch", "bfloat16"), DType("BF16")},
		{"dtype by stack", "\x8c\x05torch\x8c\x07float32\x93", DType("F32")},
		{"size", class2("torch", "Size") + "K\x02\x85\x85R", Tuple{int64(2)}},
		{"popped", "NK\x01(NN1" + "0", nil},
		{"duplicated", "K\x012\x86", Tuple{int64(1), int64(1)}},
		{"memo", "K\x07\x940h\x00", int64(7)},
		{"long memo", "K\x07r\xff\xff\xff\xff0j\xff\xff\xff\xff", int64(7)},
		{"frame", "\x95\x01\x00\x00\x00\x00\x00\x00\x00N", nil},
		{"replaced key keeps its place", "}" + text("a") + "K\x01s" + text("b") + "K\x02s" + text("a") + "K\x03s",
			&Dict{keys: []any{"a", "b"}, values: map[any]any{"a": int64(3), "b": int64(2)}}},
		{"namespace", class2("argparse", "Namespace") + ")\x81" + dict(text("modes"), "K\x20", text("paths"), "]"+text("a")+"a") + "b",
			&Namespace{Dict{keys: []any{"modes", "paths"}, values: map[any]any{"modes": int64(32), "paths": &List{[]any{"a"}}}}}},
		{"ordered dict with attributes", class2("collections", "OrderedDict") + ")R" + "(K\x01Nu" + dict(text("_metadata"), "N") + "b",
			&Dict{keys: []any{int64(1)}, values: map[any]any{int64(1): nil}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := open(checkpoint(t, pickle(tt.body)))
			require.NoError(t, err)
			assert.Equal(t, tt.want, f.Root())
		})
	}
}

func TestForeignClassesAreRefused(t *testing.T) {
	tests := []struct{ name, body, module, class string }{
		{"system call", "cposix\nsystem\n" + tuple(text("true")) + "R", "posix", "system"},
		{"by stack", "\x8c\x02os\x8c\x06system\x93", "os", "system"},
		{"eval", class2("builtins", "eval") + tuple(text("1")) + "R", "builtins", "eval"},
		{"getattr", class2("__builtin__", "getattr"), "__builtin__", "getattr"},
		{"named only", class2("subprocess", "Popen"), "subprocess", "Popen"},
		{"inside a dict", dict(text("a"), class2("numpy", "dtype")), "numpy", "dtype"},
		{"near miss", class2("torch._utils", "_rebuild_tensor"), "torch._utils", "_rebuild_tensor"},
		{"dotted name", class2("collections", "OrderedDict.__init__"), "collections", "OrderedDict.__init__"},
		{"other module", class2("torch.cuda", "FloatStorage"), "torch.cuda", "FloatStorage"},
		{"other class of argparse", class2("argparse", "ArgumentParser"), "argparse", "ArgumentParser"},
		{"class in a namespace", class2("argparse", "Namespace") + ")\x81" + dict(text("f"), class2("os", "system")) + "b", "os", "system"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := open(checkpoint(t, pickle(tt.body)))
			var refused *RefusedError
			require.True(t, errors.As(err, &refused), "%v", err)
			assert.Equal(t, RefusedError{tt.module, tt.class}, *refused)
			assert.ErrorContains(t, err, "test.pt: pickle byte")
			assert.ErrorContains(t, err, "refused: pickle names "+tt.module+"."+tt.class+"; only tensors and plain containers are allowed")
		})
	}
}

func TestBrokenPickles(t *testing.T) {
	tests := []struct{ name, pickle, want string }{
		{"empty", "", "expected 1 more bytes of pickle, got 0"},
		{"no stop", "\x80\x02N", "truncated"},
		{"nothing at the end", "\x80\x02.", "expected one value at its end, got 0"},
		{"two values at the end", "\x80\x02NN.", "got 2"},
		{"open mark at the end", "\x80\x02N(.", "1 open marks"},
		{"a class at the end", pickle(class2("torch", "Size")), "got class torch.Size"},
		{"a storage at the end", pickle(storageID("FloatStorage", "0", 1)), "got storage"},
		{"protocol 0", "\x80\x00N.", "protocol 2 to 5, got 0"},
		{"protocol 6", "\x80\x06N.", "got 6"},
		{"text opcode", pickle("I1\n"), "opcode 0x49"},
		{"instance opcode", pickle("(ios\nsystem\n"), "opcode 0x69"},
		{"new object of nothing", pickle(")\x81"), "expected 2 values on the stack, got 1"},
		{"new object of a string", pickle(text("a") + ")\x81"), "refused: pickle makes an object of str"},
		{"new object of another class", pickle(class2("collections", "OrderedDict") + ")\x81"), "refused: pickle makes an object of class collections.OrderedDict"},
		{"new object of a storage class", pickle(class2("torch", "FloatStorage") + ")\x81"), "refused: pickle makes an object"},
		{"new object with arguments", pickle(class2("argparse", "Namespace") + "N\x85\x81"), "argparse.Namespace: expected no arguments, got tuple"},
		{"new object with arguments in a list", pickle(class2("argparse", "Namespace") + "]\x81"), "expected no arguments, got list"},
		{"call of a namespace", pickle(class2("argparse", "Namespace") + ")R"), "refused: pickle calls class argparse.Namespace"},
		{"attribute without a name", pickle(class2("argparse", "Namespace") + ")\x81" + dict("K\x01", "N") + "b"), "expected names of attributes, got int"},
		{"namespace with slots", pickle(class2("argparse", "Namespace") + ")\x81N}\x86b"), "expected attributes in a dict, got tuple"},
		{"new object with keywords", pickle(class2("argparse", "Namespace") + ")}\x92"), "opcode 0x92"},
		{"extension registry", pickle("\x82\x01"), "opcode 0x82"},
		{"text persistent id", pickle("P0\n"), "opcode 0x50"},
		{"out-of-band buffer", pickle("\x97"), "opcode 0x97"},
		{"unset memo", pickle("h\x05"), "expected a remembered value 5, got none"},
		{"unset long memo", pickle("j\x00\x00\x00\x01"), "remembered value 16777216"},
		{"memo of nothing", pickle("q\x00"), "expected a value on the stack, got none"},
		{"pop of nothing", pickle("0"), "expected 1 values on the stack, got 0"},
		{"pop below a mark", pickle("N(0"), "expected 1 values on the stack, got 0"},
		{"pair across a mark", pickle("}N(Ns"), "expected 2 values on the stack, got 1"},
		{"mark missing", pickle("Nt"), "expected a mark"},
		{"odd pairs", pickle("}(Nu"), "pairs of key and value, got 1"},
		{"items into None", pickle("N(NNu"), "expected a dict on the stack, got None"},
		{"append to a dict", pickle("}Na"), "expected a list on the stack, got dict"},
		{"appends to a tuple", pickle(")(Ne"), "expected a list on the stack, got tuple"},
		{"add to a list", pickle("](N\x90"), "expected a set on the stack, got list"},
		{"list as key", pickle("}]Ns"), "dict key that is a string, integer or bool, got list"},
		{"tensor as key", pickle("}" + tensor(1, 0, []int64{1}, []int64{1}) + "Ns"), "got tensor"},
		{"string beyond the pickle", pickle("X\xff\x00\x00\x00a"), "expected 255 more bytes"},
		{"string of 4 GB", pickle("X\xff\xff\xff\xffa"), "at most 268435456 bytes"},
		{"string of 16 EB", pickle("\x8d\xff\xff\xff\xff\xff\xff\xff\xffa"), "at most 268435456 bytes"},
		{"string not UTF-8", pickle("X\x01\x00\x00\x00\xff"), "UTF-8"},
		{"integer of 2 GB", pickle("\x8b\xff\xff\xff\x7fa"), "at most 1024 bytes"},
		{"frame beyond the pickle", pickle("\x95\xff\x00\x00\x00\x00\x00\x00\x00N"), "frame within the pickle"},
		{"endless name", pickle("c" + strings.Repeat("a", 1000)), "name of at most 256 bytes"},
		{"names that are numbers", pickle("K\x01K\x02\x93"), "got int and int"},
		{"call of a string", pickle(text("a") + ")R"), "refused: pickle calls str"},
		{"call of a storage class", pickle(class2("torch", "FloatStorage") + ")R"), "refused: pickle calls class torch.FloatStorage"},
		{"arguments in a list", pickle(class2("collections", "OrderedDict") + "]R"), "expected a tuple of arguments, got list"},
		{"dict with arguments", pickle(class2("collections", "OrderedDict") + "]\x85R"), "expected no arguments, got 1"},
		{"size of None", pickle(class2("torch", "Size") + "N\x85R"), "expected one tuple"},
		{"set of None", pickle(class2("builtins", "set") + "N\x85R"), "expected one list"},
		{"bytes by another codec", pickle(class2("_codecs", "encode") + text("a") + text("rot13") + "\x86R"), "latin1"},
		{"bytes beyond latin1", pickle(class2("_codecs", "encode") + text("€") + text("latin1") + "\x86R"), "characters of latin1"},
		{"attributes of a list", pickle("]}b"), "dict or a namespace to give attributes to on the stack, got list"},
		{"attributes in a tuple", pickle("})b"), "expected attributes in a dict, got tuple"},
		{"too many marks", pickle(strings.Repeat("(", maxMarks+1)), "65536 nested marks"},
		{"stack too deep", pickle(strings.Repeat("N", maxStack+1)), "1048576 values on the stack"},
		{"too many opcodes", pickle(strings.Repeat("N0", maxOpcodes/2+1)), "4194304 opcodes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := open(checkpoint(t, tt.pickle, counting(1)))
			require.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, "test.pt: ")
		})
	}
}

func TestTooManyTensors(t *testing.T) {
	one := class2("torch._utils", "_rebuild_tensor_v2") + "q\x00" +
		tuple(storageID("FloatStorage", "0", 1), number(0), ")", ")", "\x89", "N") + "q\x01R0"
	_, err := open(checkpoint(t, pickle(one+strings.Repeat("h\x00h\x01R0", maxTensors)), counting(1)))
	require.ErrorContains(t, err, "262144 tensors")
}

func TestBytesAreBounded(t *testing.T) {
	const size = 1 << 20
	one := class2("_codecs", "encode") + "q\x00" + tuple(text(strings.Repeat("a", size)), text("latin1")) + "q\x01R0"
	_, err := open(checkpoint(t, pickle(one+strings.Repeat("h\x00h\x01R0", maxPickle/size))))
	require.ErrorContains(t, err, "268435456 bytes in all")
}

func TestSelfContainingList(t *testing.T) {
	f, err := open(checkpoint(t, pickle("]q\x00h\x00a")))
	require.NoError(t, err)
	l := f.Root().(*List)
	assert.Same(t, l, l.Items[0])
	_, err = f.StateDict()
	assert.ErrorContains(t, err, "got a list")
}
