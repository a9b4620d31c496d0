package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/homeward/homeward/route"
)

// curl is a command line of curl as far as it shapes the request.
type curl struct {
	urls    []located
	targets []located // -T, one for each URL in turn
	method  string
	headers []string
	cookies []string
	query   []string // --url-query

	body    []byte
	data    string // option that gave the body, "" when none did
	json    bool
	unread  bool // a part of the body is in a file
	form    []string
	get     bool
	head    bool
	globoff bool
	asIs    bool

	user, bearer string
	hasUser      bool
	deferred     string // authentication that waits for a challenge
	basic        bool

	agent, referer, span string
	noAgent              bool
	requestTarget        string
	compressed, te       bool
	http10, h2c          bool
	scheme               string // of URLs without one

	notes []string
}

// located is a word with its place.
type located struct {
	text string
	at   int
}

// ParseCurl reads the words of a curl command, the name curl first, into the
// requests that curl would send: one for each URL. Files are not read and
// nothing is asked or sent; Notes say what is therefore unknown. What is
// described is curl 7.88 and later. The error is an *InputError.
func ParseCurl(args []string) ([]*Input, error) {
	if len(args) == 0 {
		return nil, wrong("", "there is no command", "paste a command that starts with curl")
	}
	if len(args) > maxWords {
		return nil, wrong("", "the command has more than "+strconv.Itoa(maxWords)+" words", "")
	}
	size := 0
	for _, a := range args {
		size += len(a)
	}
	if size > MaxInput {
		return nil, wrong("", "the command is longer than 1 MiB", "put a long body into a file and write -d @FILE")
	}
	name := args[0][strings.LastIndexAny(args[0], `/\`)+1:]
	if name != "curl" && !strings.EqualFold(name, "curl.exe") {
		return nil, wrong(word(0), "this is not a curl command", "paste one that starts with curl, or read a HAR file")
	}
	c := &curl{scheme: "http"}
	if err := c.read(args); err != nil {
		return nil, err
	}
	return c.inputs()
}

// read takes the options and URLs in turn.
func (c *curl) read(args []string) error {
	options := true
	for i := 1; i < len(args); i++ {
		a := args[i]
		switch {
		case !options || a == "" || a[0] != '-':
			c.urls = append(c.urls, located{a, i})
		case a == "--":
			options = false
		case strings.HasPrefix(a, "--"):
			o, err := longOption(a[2:], word(i))
			if err != nil {
				return err
			}
			value := ""
			if o.value {
				if i++; i == len(args) {
					return wrong(word(i-1), "--"+o.name+" needs a value", "write one after it")
				}
				value = args[i]
			}
			if err := c.apply(o, value, i); err != nil {
				return err
			}
		default:
			var err error
			if i, err = c.readShort(args, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// readShort takes a word of short options and tells the last word it used.
func (c *curl) readShort(args []string, i int) (int, error) {
	word0, letters := word(i), args[i][1:]
	if letters == "" {
		return i, wrong(word0, "a lone - is no option and no URL", "remove it")
	}
	for letters != "" {
		o := shortOption(letters[0])
		if o.name == "" {
			what := "curl has no option -" + letters[:1]
			if b := letters[0]; b <= ' ' || b >= 0x7f {
				what = "this is not an option of curl"
			}
			return i, wrong(word0, what, "see curl --help all")
		}
		short := letters[:1]
		letters = letters[1:]
		value := ""
		if o.value {
			if value, letters = letters, ""; value == "" {
				if i++; i == len(args) {
					return i, wrong(word0, "-"+short+" needs a value", "write one after it")
				}
				value = args[i]
			}
		}
		if err := c.apply(o, value, i); err != nil {
			return i, err
		}
	}
	return i, nil
}

func (c *curl) note(text string) {
	if !slices.Contains(c.notes, text) {
		c.notes = append(c.notes, text)
	}
}

// inputs makes a request of each URL.
func (c *curl) inputs() ([]*Input, error) {
	if len(c.urls) == 0 {
		return nil, wrong("", "the command has no URL", "write one, or check that no option takes it as its value")
	}
	if len(c.urls) > 100 {
		return nil, wrong("", "the command has more than 100 URLs", "explain some of them")
	}
	if c.head && c.data != "" && !c.get {
		return nil, wrong("", "-I and "+c.data+" ask for two methods", "keep one of them, or add -G to put the data into the URL")
	}
	if err := c.checkURLs(); err != nil {
		return nil, err
	}
	var inputs []*Input
	for i, u := range c.urls {
		in, err := c.input(i, u)
		if err != nil {
			return nil, err
		}
		if in.From = "curl"; len(c.urls) > 1 {
			in.From = "curl, URL " + strconv.Itoa(i+1)
		}
		for _, n := range c.notes {
			in.note("%s", n)
		}
		inputs = append(inputs, in)
	}
	return inputs, nil
}

// checkURLs finds words that became URLs because quotes are missing, as in
// -H Authorization: Bearer … without them.
func (c *curl) checkURLs() error {
	if len(c.urls) < 2 {
		return nil
	}
	for _, u := range c.urls {
		if !strings.ContainsAny(u.text, ".:/") && u.text != "localhost" {
			return wrong(word(u.at), "curl would take this word for a URL", "is a quote missing around the value before it?")
		}
	}
	for _, h := range c.headers {
		if strings.HasSuffix(h, ":") && len(c.urls) > 1 {
			return wrong("", "the header "+safeName(strings.TrimSuffix(h, ":"))+" is empty and there are several URLs",
				"put quotes around the whole header, as in -H 'Name: value'")
		}
	}
	return nil
}

func (c *curl) input(i int, u located) (*Input, error) {
	var upload located
	if i < len(c.targets) {
		upload = c.targets[i]
	}
	get := c.get && c.data != "-F"
	in := &Input{Minor: 1, HasBody: c.data != "" && !get}
	if c.http10 {
		in.Minor = 0
	}
	if in.BodyUnknown = in.HasBody && c.unread; in.HasBody && !c.unread {
		in.Body = c.body
	}
	p, err := c.parseURL(u)
	if err != nil {
		return nil, err
	}
	if get && c.data != "" {
		p.addQuery(string(c.body))
	}
	for _, q := range c.query {
		p.addQuery(q)
	}
	if upload.text != "" {
		in.HasBody, in.BodyUnknown = true, true
		p.addFile(upload.text)
		in.note("the file of -T is not read: a credential in it is not seen")
	}
	in.Scheme = p.scheme
	if in.Target, err = p.target(c.asIs, in); err != nil {
		return nil, err
	}
	if c.requestTarget != "" {
		in.Target = c.requestTarget
	}
	in.Method = c.verb(in, upload)
	in.Fields = c.fields(p, in)
	return in, nil
}

// verb is the method that curl uses.
func (c *curl) verb(in *Input, upload located) string {
	switch {
	case c.method != "":
		return c.method
	case c.head:
		return "HEAD"
	case upload.text != "":
		return "PUT"
	case in.HasBody:
		return "POST"
	}
	return "GET"
}

// field splits a header line of the command.
func field(line string) route.Field {
	name, value, _ := strings.Cut(line, ":")
	return route.Field{Name: name, Value: strings.Trim(value, " \t")}
}
