# Turns one JSON document into lines of "path<TAB>value", such as `ssh_authorized_keys.0<TAB>ssh-ed25519 ...`, so that a
# shell can read it. Lines that start with # (the `#cloud-config` heading) are skipped. Newline, tab, carriage return and
# backslash inside a value are written as \n, \t, \r and \\, which `printf %b` turns back. Exit status 1 says: no JSON.

function fail(message) {
  print "flatten-json: line " NR ": " message >"/dev/stderr"
  failed = 1
  exit 1
}

# Path of the value that comes next; in a list it also counts the element.
function next_path() {
  if (depth == 0) return ""
  if (kind[depth] == "[") key[depth] = count[depth]++
  return depth == 1 ? key[1] : path[depth] "." key[depth]
}

function open_container(bracket,   prefix) {
  prefix = next_path()
  depth++
  kind[depth] = bracket
  count[depth] = 0
  path[depth] = prefix
}

function close_container(bracket) {
  if (depth == 0 || kind[depth] != bracket) fail("unexpected end of a list or an object")
  depth--
}

function emit(value) {
  if (depth == 0) fail("a bare value instead of an object")
  print next_path() "\t" value
}

# The text after the opening quote is in `rest`; it is taken piece by piece, from one quote or backslash to the next,
# because one expression over a whole long string (a script in base64) costs an emulated CPU seconds.
function take_string(   text, escape) {
  text = ""
  while (match(rest, /["\\]/)) {
    text = text substr(rest, 1, RSTART - 1)
    escape = substr(rest, RSTART, 1)
    rest = substr(rest, RSTART + 1)
    if (escape == "\"") return text
    escape = substr(rest, 1, 1)
    rest = substr(rest, 2)
    if (escape == "n" || escape == "t" || escape == "r" || escape == "\\") text = text "\\" escape
    else if (escape == "\"" || escape == "/") text = text escape
    else if (escape == "u") {
      text = text utf8(substr(rest, 1, 4))
      rest = substr(rest, 5)
    }
  }
  fail("a string without its closing quote")
}

function hex_number(digits,   index_, number) {
  number = 0
  for (index_ = 1; index_ <= length(digits); index_++)
    number = number * 16 + index("0123456789abcdef", tolower(substr(digits, index_, 1))) - 1
  return number
}

# JSON writers escape only control characters this way; the ones a text file may hold are kept, the others dropped.
function utf8(digits,   code) {
  code = hex_number(digits)
  if (code == 9) return "\\t"
  if (code == 10) return "\\n"
  if (code == 13) return "\\r"
  if (code == 92) return "\\\\"
  if (code < 32) return ""
  if (code < 128) return sprintf("%c", code)
  if (code < 2048) return sprintf("\\0%o\\0%o", 192 + int(code / 64), 128 + code % 64)
  return sprintf("\\0%o\\0%o\\0%o", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
}

/^#/ { next }
{
  rest = $0
  while (match(rest, /[^ \t\r,:]/)) {
    character = substr(rest, RSTART, 1)
    rest = substr(rest, RSTART + 1)
    if (character == "{" || character == "[") open_container(character)
    else if (character == "}") close_container("{")
    else if (character == "]") close_container("[")
    else if (character == "\"") {
      text = take_string()
      if (depth > 0 && kind[depth] == "{" && match(rest, /^[ \t]*:/)) {
        key[depth] = text
        rest = substr(rest, RLENGTH + 1)
      } else emit(text)
    } else if (match(character rest, /^[-+.0-9a-zA-Z]+/)) {
      text = substr(character rest, 1, RLENGTH)
      rest = substr(rest, RLENGTH)
      emit(text)
    } else fail("unexpected character " character)
  }
}
END {
  if (failed) exit 1
  if (depth != 0) fail("the document ends in the middle")
}
