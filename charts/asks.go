package charts

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"

	"helm.sh/helm/v3/pkg/chart"
)

// A chart is rendered for a cluster that cannot be asked, as one of two events
// and at one time. Where templates decide by what the cluster, the event or the
// time says, the island may need other images. Which decisions those are is
// read from the templates: what depends on such an answer is followed through
// variables, arguments and named templates, without regard to their order.
// What is told is too much rather than too little.

// answers is a set of what a template may ask for, with another answer on the
// island. The bits from firstAPI on are API versions by name.
type answers uint64

const (
	askedLookup answers = 1 << iota
	askedAPIs           // which API versions there are, none by name
	askedVersion
	askedName
	askedTime
	askedRandom
	askedEvent // whether it is an upgrade: both are rendered
	shared     // no answer: a map that other templates read too
	changes    // no answer: puts something into a shared map
	firstAPI
)

// answersText says of each what a person has to know of it.
var answersText = []struct {
	one  answers
	text string
}{
	{askedLookup, "lookup decides what is rendered, and found nothing here; with what the island's cluster holds, it may be other images"},
	{askedAPIs, "the API versions of the cluster decide what is rendered; with others than those given (apiVersions), it may be other images"},
	{askedVersion, "the version of Kubernetes decides what is rendered, and none was given (kubeVersion); on another it may be other images"},
	{askedName, "getHostByName decides what is rendered, and nothing was looked up; on the island it may be other images"},
	{askedTime, "the time decides what is rendered; at another time it may be other images"},
	{askedRandom, "a random number decides what is rendered; the next time it may be other images"},
}

// askingFunctions are the functions of Helm and Sprig whose result does not
// depend on what they are given alone ("Sprig Function Documentation"; Helm
// documentation, "Template Function List").
var askingFunctions = map[string]answers{
	"lookup": askedLookup, "getHostByName": askedName,
	"now": askedTime, "ago": askedTime, "date": askedTime, "dateInZone": askedTime, "date_in_zone": askedTime,
	"htmlDate": askedTime, "htmlDateInZone": askedTime,
	"randAlphaNum": askedRandom, "randAlpha": askedRandom, "randNumeric": askedRandom, "randAscii": askedRandom,
	"randBytes": askedRandom, "randInt": askedRandom, "uuidv4": askedRandom, "shuffle": askedRandom,
	"genCA": askedRandom, "genCAWithKey": askedRandom, "genPrivateKey": askedRandom, "genSelfSignedCert": askedRandom,
	"genSelfSignedCertWithKey": askedRandom, "genSignedCert": askedRandom, "genSignedCertWithKey": askedRandom,
	"bcrypt": askedRandom, "htpasswd": askedRandom, "encryptAES": askedRandom,
}

// templateText is a template, or a text that may become one by tpl.
type templateText struct {
	name    string // full path
	text    string
	partial bool // only what others include of it is rendered
}

// templateTexts returns the templates of a chart and of those subcharts that are
// left.
func templateTexts(c *chart.Chart) []templateText {
	var all []templateText
	for _, template := range c.Templates {
		base := template.Name[strings.LastIndex(template.Name, "/")+1:]
		partial := strings.HasPrefix(base, "_")
		if base != "NOTES.txt" && (partial || !strings.EqualFold(c.Metadata.Type, "library")) {
			all = append(all, templateText{c.ChartFullPath() + "/" + template.Name, string(template.Data), partial})
		}
	}
	for _, sub := range dependencies(c) {
		all = append(all, templateTexts(sub)...)
	}
	return all
}

// textsOf returns the values and files that tpl may make templates of.
func textsOf(c *chart.Chart, values map[string]any) []templateText {
	var all []templateText
	for _, text := range templatesIn(values, nil) {
		all = append(all, templateText{name: c.Name() + "/values.yaml", text: text})
	}
	var files func(part *chart.Chart)
	files = func(part *chart.Chart) {
		for _, file := range part.Files {
			if text := string(file.Data); strings.Contains(text, "{{") {
				all = append(all, templateText{name: part.ChartFullPath() + "/" + file.Name, text: text})
			}
		}
		for _, sub := range dependencies(part) {
			files(sub)
		}
	}
	files(c)
	return all
}

func templatesIn(value any, found []string) []string {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range sortedKeys(value) {
			found = templatesIn(value[key], found)
		}
	case []any:
		for _, item := range value {
			found = templatesIn(item, found)
		}
	case string:
		if strings.Contains(value, "{{") {
			found = append(found, value)
		}
	}
	return found
}

// notices tells of the decisions.
func (a asking) notices() []string {
	var all []string
	for _, one := range a.branches {
		for _, kind := range answersText {
			if one.by == kind.one {
				all = append(all, one.place+": "+kind.text)
			}
		}
	}
	for _, one := range a.apis {
		place := one.places[0]
		if more := len(one.places) - 1; more > 0 {
			place += fmt.Sprintf(" (and %d more)", more)
		}
		all = append(all, fmt.Sprintf(
			"%s: whether the cluster has %s, which was not given (apiVersions), decides what is rendered; if it has, it may be other images",
			place, one.version))
	}
	if a.gaveUp {
		all = append(all, "templates call each other too often to tell where the island's cluster may need other images")
	}
	return all
}

// asked is a decision that an answer makes.
type asked struct {
	by    answers
	place string // template and line
}

// askedAPI is an API version that decides, in several templates.
type askedAPI struct {
	version string
	places  []string
}

// asking is everything that the templates of one rendering ask.
type asking struct {
	// events are the templates by which an installation and an upgrade may differ,
	// and those that they need.
	events   map[string]bool
	branches []asked
	apis     []*askedAPI
	gaveUp   bool // templates call each other too often to be followed
}

// Bounds on following templates. The largest chart of the public repositories
// takes a tenth of the steps and calls.
const (
	maxAskingSteps = 400_000
	maxAskingCalls = 4_000 // of named templates with different arguments
	maxAskingDepth = 100   // of named templates in each other
	maxAskingKeys  = 3     // rounds over values that templates set
	maxDictDepth   = 4
)

// asks follows the templates of one rendering. given are the API versions that
// it was given, and hasVersion says that the version of Kubernetes was.
func asks(templates, texts []templateText, given []string, hasVersion bool) asking {
	f := follower{
		named: map[string][]*parse.Tree{}, given: setOf(given), hasVersion: hasVersion, keys: map[string]answers{}, mattering: map[string]bool{},
	}
	uses := slices.ContainsFunc(templates, func(t templateText) bool { return strings.Contains(t.text, "tpl") })
	if uses {
		templates = slices.Concat(templates, texts)
	}
	var roots []*parse.Tree
	needed := map[string]bool{} // whether or not they can tell
	for _, template := range templates {
		tree, defines := f.parse(template)
		if tree != nil && !template.partial {
			roots = append(roots, tree)
		}
		if defines {
			needed[template.name] = true
		}
	}
	for range maxAskingKeys {
		known := len(f.keys)
		f.memo, f.running, f.result = map[string]answers{}, map[string]bool{}, asking{events: map[string]bool{}}
		f.seen, f.apis = map[asked]bool{}, nil
		for _, root := range roots {
			out := f.body(root, taint{by: shared})
			if out&askedEvent != 0 {
				f.result.events[root.ParseName] = true
			}
			if out&changes != 0 {
				needed[root.ParseName] = true
			}
		}
		if len(f.result.events) > 0 {
			maps.Copy(f.result.events, needed)
		}
		if len(f.keys) == known {
			break
		}
	}
	return f.result.complete(templates, texts)
}

// complete adds the templates that make templates of texts by tpl, if one of the
// texts can tell the event, and all if they could not be followed.
func (a asking) complete(templates, texts []templateText) asking {
	telling := slices.ContainsFunc(texts, func(text templateText) bool { return a.events[text.name] })
	for _, template := range templates {
		if a.gaveUp || telling && !template.partial {
			a.events[template.name] = true
		}
	}
	return a
}

// taint is what a value depends on: as a whole, and by its fields where they
// are known. Fields that depend on nothing are left out.
type taint struct {
	by     answers
	fields map[string]taint
}

func (t taint) all() answers {
	by := t.by
	for _, field := range t.fields {
		by |= field.all()
	}
	return by
}

func (t taint) join(other taint) taint {
	joined := taint{by: t.by | other.by}
	if len(t.fields)+len(other.fields) == 0 {
		return joined
	}
	joined.fields = maps.Clone(t.fields)
	for name, field := range other.fields {
		joined = joined.with(name, joined.fields[name].join(field))
	}
	return joined
}

func (t taint) with(name string, field taint) taint {
	if field.all() == 0 {
		return t
	}
	fields := map[string]taint{}
	maps.Copy(fields, t.fields)
	fields[name] = field.shallow(maxDictDepth)
	return taint{by: t.by, fields: fields}
}

// shallow folds what lies deeper into one, so that templates which call
// themselves come to an end.
func (t taint) shallow(depth int) taint {
	if depth == 0 {
		return taint{by: t.all()}
	}
	fields := make(map[string]taint, len(t.fields))
	for name, field := range t.fields {
		fields[name] = field.shallow(depth - 1)
	}
	return taint{by: t.by, fields: fields}
}

// key tells taints apart.
func (t taint) key() string {
	var key strings.Builder
	fmt.Fprint(&key, t.by)
	for _, name := range sortedKeys(t.fields) {
		fmt.Fprintf(&key, "{%s%s}", name, t.fields[name].key())
	}
	return key.String()
}

type follower struct {
	named      map[string][]*parse.Tree
	given      map[string]bool
	hasVersion bool
	keys       map[string]answers // fields that templates set, by name
	mattering  map[string]bool    // named templates, by whether an image may stand in them

	memo    map[string]answers
	running map[string]bool
	seen    map[asked]bool
	apis    []*askedAPI // those of the bits from firstAPI on
	steps   int
	result  asking
}

// parse reads a template, and reports whether it defines others. One that cannot
// be parsed is not rendered either, or is no template at all.
func (f *follower) parse(template templateText) (tree *parse.Tree, defines bool) {
	tree = parse.New(template.name)
	tree.Mode = parse.SkipFuncCheck
	defined := map[string]*parse.Tree{}
	if _, err := tree.Parse(template.text, "", "", defined); err != nil {
		return nil, false
	}
	for name, one := range defined {
		f.named[name] = append(f.named[name], one)
		defines = defines || name != template.name
	}
	return tree, defines
}

// frame is the body of one template while it is followed.
type frame struct {
	*follower
	tree  *parse.Tree
	dot   taint
	vars  map[string]taint
	line  string  // what stands on the line of output so far
	under answers // what the conditions around depend on
	out   answers // what the output depends on
}

func (f *follower) body(tree *parse.Tree, dot taint) answers {
	if tree.Root == nil {
		return 0
	}
	one := frame{follower: f, tree: tree, dot: dot, vars: map[string]taint{"$": dot}}
	one.list(tree.Root)
	return one.out
}

// call follows a named template.
func (f *follower) call(name string, dot taint) answers {
	key := name + " " + dot.key()
	if out, ok := f.memo[key]; ok {
		return out
	}
	if f.running[key] {
		return 0
	}
	if len(f.running) >= maxAskingDepth || len(f.memo) >= maxAskingCalls || f.steps > maxAskingSteps {
		f.giveUp()
		return 0
	}
	f.running[key] = true
	var out answers
	for _, tree := range f.named[name] {
		out |= f.body(tree, dot)
	}
	delete(f.running, key)
	f.memo[key] = out
	return out
}

// giveUp ends the following: what is known by then is told.
func (f *follower) giveUp() {
	f.steps = maxAskingSteps + 1
	f.result.gaveUp = true
}

func (f *frame) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		if f.steps++; f.steps > maxAskingSteps {
			f.giveUp()
			return
		}
		f.node(node)
	}
}

func (f *frame) node(node parse.Node) {
	switch node := node.(type) {
	case *parse.TextNode:
		f.line += string(node.Text)
		f.line = f.line[strings.LastIndex(f.line, "\n")+1:]
	case *parse.ActionNode:
		f.action(node)
	case *parse.IfNode:
		f.branch(&node.BranchNode, f.dot)
	case *parse.WithNode:
		f.branch(&node.BranchNode, f.pipe(node.Pipe))
	case *parse.RangeNode:
		f.branch(&node.BranchNode, taint{by: f.pipe(node.Pipe).all()})
	case *parse.TemplateNode:
		f.output(node, taint{by: f.enter(node.Name, f.pipe(node.Pipe))}, false)
	}
}

func (f *frame) action(node *parse.ActionNode) {
	value := f.pipe(node.Pipe)
	if len(node.Pipe.Decl) == 0 {
		f.output(node, value, chooses(node.Pipe) && f.mattersPipe(node.Pipe, strings.TrimSpace(f.line) == ""))
	}
	f.line += " "
}

// output notes that a value is printed. choice says that the value was chosen
// from what may hold an image.
func (f *frame) output(node parse.Node, value taint, choice bool) {
	f.out |= value.all()&^shared | f.under
	if choice || imageLine(f.line) {
		f.found(node, value.all())
	}
}

// branch follows both sides of a condition.
func (f *frame) branch(node *parse.BranchNode, dot taint) {
	value := f.pipe(node.Pipe)
	by := value.by
	if node.Type() == parse.NodeRange {
		by = value.all()
	}
	by &^= shared | changes
	if by != 0 && (imageLine(f.line) || f.matters(node.List) || f.matters(node.ElseList)) {
		f.found(node, by)
	}
	around, outer := f.under, f.dot
	f.under |= by
	f.out |= by
	f.dot = dot
	f.list(node.List)
	f.dot = outer
	f.list(node.ElseList)
	f.under = around
}

// found notes a decision, once for each kind of answer and template.
func (f *frame) found(node parse.Node, by answers) {
	location, _ := f.tree.ErrorContext(node)
	place := location[:max(strings.LastIndex(location, ":"), 0)]
	for _, kind := range answersText {
		once := asked{kind.one, f.tree.ParseName}
		if by&kind.one == 0 || f.seen[once] {
			continue
		}
		f.seen[once] = true
		f.result.branches = append(f.result.branches, asked{kind.one, place})
	}
	for i, api := range f.apis {
		if by&(firstAPI<<i) == 0 || f.seen[asked{firstAPI << i, f.tree.ParseName}] {
			continue
		}
		f.seen[asked{firstAPI << i, f.tree.ParseName}] = true
		if api.places = append(api.places, place); len(api.places) == 1 {
			f.result.apis = append(f.result.apis, api)
		}
	}
}

// pipe works out a pipeline, and assigns it where it says so.
func (f *frame) pipe(pipe *parse.PipeNode) taint {
	if pipe == nil {
		return taint{}
	}
	var value taint
	for i, command := range pipe.Cmds {
		if i == 0 {
			value = f.command(command.Args, nil)
		} else {
			value = f.command(command.Args, &value)
		}
	}
	for _, variable := range pipe.Decl {
		name := variable.Ident[0]
		f.vars[name] = f.vars[name].join(value).join(taint{by: f.under})
	}
	return value
}

// command works out one command; piped is what a pipeline hands on to it.
func (f *frame) command(args []parse.Node, piped *taint) taint {
	function, isFunction := args[0].(*parse.IdentifierNode)
	if !isFunction {
		return f.method(args, piped)
	}
	var given []taint
	for _, arg := range args[1:] {
		given = append(given, f.value(arg))
	}
	if piped != nil {
		given = append(given, *piped)
	}
	return f.function(function.Ident, args[1:], given)
}

// method works out a field, with arguments if it is a method: the one that
// matters is Has of API versions.
func (f *frame) method(args []parse.Node, piped *taint) taint {
	value := f.value(args[0])
	for _, arg := range args[1:] {
		value = value.join(f.value(arg))
	}
	if piped != nil {
		value = value.join(*piped)
	}
	if value.by&askedAPIs != 0 && len(args) > 1 {
		value.by = f.nameAPI(value.by, args[1:])
	}
	return value
}

// maxNamedAPIs is how many API versions have a bit of their own.
const maxNamedAPIs = 48

// nameAPI says which API version was asked for, if one of the arguments says so:
// one that the rendering was given is no question.
func (f *frame) nameAPI(by answers, args []parse.Node) answers {
	for _, arg := range args {
		text, ok := arg.(*parse.StringNode)
		if !ok {
			continue
		}
		if f.given[text.Text] {
			return by &^ askedAPIs
		}
		i := slices.IndexFunc(f.apis, func(api *askedAPI) bool { return api.version == text.Text })
		if i < 0 && len(f.apis) < maxNamedAPIs {
			i, f.apis = len(f.apis), append(f.apis, &askedAPI{version: text.Text})
		}
		if i >= 0 {
			return by&^askedAPIs | firstAPI<<i
		}
	}
	return by
}

func (f *frame) function(name string, args []parse.Node, given []taint) taint {
	value := taint{by: askingFunctions[name]}
	switch name {
	case "include":
		return f.include(args, given)
	case "dict":
		return f.dict(args, given)
	case "get", "index", "dig":
		return f.index(name, args, given)
	case "has", "mustHas", "contains":
		for _, one := range given {
			value.by |= one.all() &^ shared
		}
		if value.by&askedAPIs != 0 {
			value.by = f.nameAPI(value.by, args)
		}
		return value
	case "set", "unset":
		f.set(args, given)
	}
	if changesFirst[name] && len(given) > 0 && given[0].by&shared != 0 {
		f.out |= changes
	}
	for _, one := range given {
		if keepsFields[name] {
			value = value.join(one)
		} else {
			value.by |= one.all() &^ shared
		}
	}
	switch {
	case strings.HasSuffix(name, "eepCopy"):
		value.by &^= shared
	case strings.HasSuffix(name, "sum"): // sha256sum: another template's text, of which no image is left
		value.by &^= askedEvent
	}
	return value
}

// changesFirst are the functions that change the map they are given first.
var changesFirst = setOf([]string{"set", "unset", "merge", "mustMerge", "mergeOverwrite", "mustMergeOverwrite"})

// keepsFields are the functions that hand on a map with its fields.
var keepsFields = setOf([]string{
	"and", "or", "default", "coalesce", "ternary", "set", "unset", "merge", "mustMerge", "mergeOverwrite", "mustMergeOverwrite",
	"deepCopy", "mustDeepCopy", "pick", "omit", "required",
})

func (f *frame) include(args []parse.Node, given []taint) taint {
	if len(given) == 0 {
		return taint{}
	}
	dot := given[len(given)-1]
	if len(args) > 0 {
		if name, ok := args[0].(*parse.StringNode); ok {
			return taint{by: f.enter(name.Text, dot)}
		}
	}
	by := given[0].all() &^ shared
	for _, name := range f.mayMean(args) {
		by |= f.enter(name, dot)
	}
	return taint{by: by}
}

// mayMean returns the templates that a name may mean which is made up: files by
// the end of their path (print .Template.BasePath "/config.yaml"), else any.
func (f *frame) mayMean(args []parse.Node) []string {
	var ends []string
	for _, arg := range args[:min(1, len(args))] {
		walkNodes(arg, func(node parse.Node) {
			if text, ok := node.(*parse.StringNode); ok && strings.Contains(text.Text, "/") {
				ends = append(ends, text.Text)
			}
		})
	}
	return slices.DeleteFunc(sortedKeys(f.named), func(name string) bool {
		isFile := strings.Contains(name, "/templates/")
		return isFile != (ends != nil) || ends != nil && !strings.HasSuffix(name, ends[len(ends)-1])
	})
}

// enter follows a named template for this one.
func (f *frame) enter(name string, dot taint) answers {
	out := f.call(name, dot)
	f.out |= out & changes
	return out &^ changes
}

func (f *frame) dict(args []parse.Node, given []taint) taint {
	var value taint
	for i, one := range given {
		if i%2 == 0 {
			value.by |= one.all() &^ shared
			continue
		}
		if name, ok := args[i-1].(*parse.StringNode); ok {
			value = value.with(name.Text, one)
		} else {
			value.by |= one.all() &^ shared
		}
	}
	return value
}

// index works out get, index and dig: each key that is written out leads to the
// field. dig has the keys first, and last a fallback and the map.
func (f *frame) index(name string, args []parse.Node, given []taint) taint {
	if len(given) == 0 {
		return taint{}
	}
	value, keys, rest := given[0], args[min(1, len(args)):], given[1:]
	if name == "dig" {
		last := len(given) - 1
		value, keys, rest = given[last], args[:max(min(len(args), last-1), 0)], given[:last]
	}
	by := answers(0)
	for _, one := range rest {
		by |= one.all() &^ shared
	}
	for _, key := range keys {
		text, ok := key.(*parse.StringNode)
		if !ok {
			value = taint{by: value.all()}
			continue
		}
		value = f.fields(value, []string{text.Text})
	}
	return value.join(taint{by: by})
}

// set notes a value that a template puts into a map: whoever reads a field of
// that name may read it.
func (f *frame) set(args []parse.Node, given []taint) {
	if len(args) < 2 {
		return
	}
	by := f.under
	if len(given) > 2 {
		by |= given[2].all()
	}
	by &^= shared | changes
	if name, ok := args[1].(*parse.StringNode); ok && by != 0 && name.Text != "Values" {
		f.keys[name.Text] |= by
	}
}

// value works out one argument.
func (f *frame) value(node parse.Node) taint {
	switch node := node.(type) {
	case *parse.DotNode:
		return f.dot
	case *parse.FieldNode:
		return f.fields(f.dot, node.Ident)
	case *parse.VariableNode:
		return f.fields(f.vars[node.Ident[0]], node.Ident[1:])
	case *parse.ChainNode:
		return f.fields(f.value(node.Node), node.Field)
	case *parse.PipeNode:
		return f.pipe(node)
	case *parse.IdentifierNode:
		return f.function(node.Ident, nil, nil)
	}
	return taint{}
}

// fields follows names from a value. What Helm hands to every template is
// known by its name wherever it is.
func (f *frame) fields(value taint, names []string) taint {
	for _, name := range names {
		field, ok := value.fields[name]
		switch {
		case ok:
			field.by |= value.by
		case name == "Capabilities":
			field = taint{by: shared, fields: map[string]taint{"APIVersions": {by: askedAPIs}}}
			if !f.hasVersion {
				field.fields["KubeVersion"] = taint{by: askedVersion}
			}
		case name == "Release":
			event := taint{by: askedEvent}
			field = taint{by: shared, fields: map[string]taint{"IsUpgrade": event, "IsInstall": event, "Revision": event}}
		default:
			field = taint{by: value.by}
		}
		field.by |= f.keys[name]
		value = field
	}
	return value
}

// chooses reports whether a pipeline takes one of several values, other than by
// an if.
func chooses(pipe *parse.PipeNode) bool {
	found := false
	walkNodes(pipe, func(node parse.Node) {
		if function, ok := node.(*parse.IdentifierNode); ok {
			switch function.Ident {
			case "ternary", "default", "coalesce", "and", "or", "index", "get", "dig", "first", "last":
				found = true
			}
		}
	})
	return found
}

// walkNodes visits what stands in an expression.
func walkNodes(node parse.Node, visit func(parse.Node)) {
	visit(node)
	switch node := node.(type) {
	case *parse.PipeNode:
		for _, command := range node.Cmds {
			for _, arg := range command.Args {
				walkNodes(arg, visit)
			}
		}
	case *parse.ChainNode:
		walkNodes(node.Node, visit)
	}
}

// matters reports whether an image may stand in a part of a template: by what is
// written there and in the named templates that it includes.
func (f *follower) matters(list *parse.ListNode) bool {
	if list == nil {
		return false
	}
	line := ""
	return slices.ContainsFunc(list.Nodes, func(node parse.Node) bool {
		if f.steps++; f.steps > maxAskingSteps {
			f.giveUp()
			return false
		}
		switch node := node.(type) {
		case *parse.TextNode:
			line += string(node.Text)
			line = line[strings.LastIndex(line, "\n")+1:]
			return textMatters(string(node.Text))
		case *parse.ActionNode:
			return f.mattersPipe(node.Pipe, strings.TrimSpace(line) == "" || imageLine(line))
		case *parse.IfNode:
			return f.matters(node.List) || f.matters(node.ElseList)
		case *parse.WithNode:
			return f.mattersPipe(node.Pipe, true) || f.matters(node.List) || f.matters(node.ElseList)
		case *parse.RangeNode:
			return f.mattersPipe(node.Pipe, true) || f.matters(node.List) || f.matters(node.ElseList)
		case *parse.TemplateNode:
			return f.mattersNamed(node.Name)
		}
		return false
	})
}

// mattersPipe judges an expression. fields says that what stands before it on its
// line does not say that the fields are something else, a label or a name.
func (f *follower) mattersPipe(pipe *parse.PipeNode, fields bool) bool {
	found := false
	walkNodes(pipe, func(node parse.Node) {
		switch node := node.(type) {
		case *parse.StringNode:
			found = found || textMatters(node.Text) || f.mattersNamed(node.Text)
		case *parse.FieldNode:
			found = found || fields && namesMatter(node.Ident)
		case *parse.VariableNode:
			found = found || fields && namesMatter(node.Ident)
		case *parse.ChainNode:
			found = found || fields && namesMatter(node.Field)
		}
	})
	return found
}

func (f *follower) mattersNamed(name string) bool {
	if known, ok := f.mattering[name]; ok || f.named[name] == nil {
		return known
	}
	f.mattering[name] = false // until it is known: it may include itself
	for _, tree := range f.named[name] {
		if f.matters(tree.Root) {
			f.mattering[name] = true
		}
	}
	return f.mattering[name]
}

func namesMatter(names []string) bool {
	last := strings.ToLower(names[len(names)-1])
	return !strings.Contains(last, "pull") && strings.Contains(strings.ToLower(strings.Join(names, ".")), "image")
}

// imageWritten is what stands where templates write an image: a field, a flag or
// the name of a variable. Queries of a monitoring that say image!="" are none.
var imageWritten = regexp.MustCompile(`image[a-z0-9_.-]*["']?\s*[:=]|containers["']?:|\bname:\s*["']?[a-z0-9_.-]*image|--[a-z0-9-]*image`)

// textMatters reports whether a text may belong to an image.
func textMatters(text string) bool {
	if imageWritten.MatchString(strings.ReplaceAll(strings.ToLower(text), "imagepull", "")) {
		return true
	}
	return strings.ContainsAny(text, "/:") && (len(references(text)) > 0 || kindMatters(text))
}

// kindMatters reports whether an object with a pod begins in a text.
func kindMatters(text string) bool {
	for line := range strings.Lines(text) {
		kind, ok := strings.CutPrefix(line, "kind:")
		if ok && podSpecs[strings.Trim(kind, " \t\r\n\"'")] != nil {
			return true
		}
	}
	return false
}

// imageLine reports whether what follows on a line of output may be an image or
// a part of one.
func imageLine(line string) bool {
	lower := strings.ReplaceAll(strings.ToLower(line), "imagepull", "")
	return slices.ContainsFunc([]string{"image", "registry:", "repository:", "tag:", "digest:"}, func(word string) bool {
		return strings.Contains(lower, word)
	})
}
