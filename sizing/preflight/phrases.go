package preflight

import (
	"regexp"
	"strings"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// A survey and a finding hold one plain language, so that programs can compare
// them. Here is what a reader is told in their place.

var outcomeWords = map[facts.Outcome]page.Text{
	facts.OK:          {EN: "ok", DE: "in Ordnung"},
	facts.Reached:     {EN: "reached", DE: "erreicht"},
	facts.Down:        {EN: "down", DE: "nicht erreichbar"},
	facts.Unresolved:  {EN: "name not known", DE: "Name unbekannt"},
	facts.AuthRefused: {EN: "login refused", DE: "Anmeldung abgelehnt"},
	facts.KeyChanged:  {EN: "host key changed", DE: "Host-Schlüssel geändert"},
	facts.KeyUnknown:  {EN: "host key not known", DE: "Host-Schlüssel unbekannt"},
	facts.NoSudo:      {EN: "no sudo", DE: "kein sudo"},
	facts.DiskFull:    {EN: "disk full", DE: "Festplatte voll"},
	facts.NoExec:      {EN: "nothing may be run", DE: "Ausführen nicht erlaubt"},
	facts.NoProbe:     {EN: "no probe for its architecture", DE: "kein Messprogramm für die Architektur"},
	facts.Damaged:     {EN: "probe arrived damaged", DE: "Messprogramm kam beschädigt an"},
	facts.Killed:      {EN: "probe was killed", DE: "Messprogramm wurde beendet"},
	facts.TimedOut:    {EN: "timed out", DE: "Zeitüberschreitung"},
	facts.Nonsense:    {EN: "answer not understood", DE: "Antwort unverständlich"},
	facts.LargeLost:   {EN: "large packets are lost", DE: "große Pakete gehen verloren"},
	facts.Refused:     {EN: "refused", DE: "abgelehnt"},
	facts.InUse:       {EN: "in use", DE: "belegt"},
	facts.WrongHost:   {EN: "wrong host", DE: "falscher Host"},
	facts.Unmade:      {EN: "not tried", DE: "nicht versucht"},
	facts.Moot:        {EN: "not tried", DE: "nicht versucht"},
	facts.Failed:      {EN: "failed", DE: "fehlgeschlagen"},
}

// OutcomeText words how an attempt ended.
func OutcomeText(o facts.Outcome) page.Text {
	if text, ok := outcomeWords[o]; ok {
		return text
	}
	return page.Text{EN: string(o), DE: string(o)}
}

// numbers are what is measured and what limits it: "≤ 0.1", "0.003 ± 0.002".
var numbers = regexp.MustCompile(`^([≤≥] )?\d+(\.\d+)?( ± \d+(\.\d+)?)?$`)

// A phrase is a plain text in both languages, of which the first that fits counts.
// What stands for %s is taken over; for %w stands another plain text.
type phrase struct{ en, de string }

var phrases = []phrase{
	// units, and what is observed and required
	{"cores", "Kerne"},
	{"days", "Tage"},
	{"bytes", "Bytes"},
	{"bits", "Bits"},
	{"true", "ja"},
	{"false", "nein"},
	{"free", "frei"},
	{"odd", "ungerade"},
	{"one role", "eine Rolle"},
	{"no route out", "kein Weg hinaus"},
	{"static", "statisch"},
	{"dynamic", "dynamisch"},
	{"outside %s", "außerhalb von %s"},
	{"admin host", "Admin-Host"},
	{"Admin host", "Admin-Host"},
	{"Asset host", "Asset-Host"},
	{"Demo machine", "Demo-Maschine"},
	{"memory", "Arbeitsspeicher"},
	{"disk", "Festplatte"},

	// why something was not read or not tried
	{"not asked for", "nicht verlangt"},
	{"not in the facts", "nicht in den Messwerten"},
	{"mounted read-only", "schreibgeschützt eingehängt"},
	{"no mount holds it", "kein Dateisystem enthält es"},
	{"address of the host is not known", "Adresse des Hosts ist nicht bekannt"},
	{"probe did not listen", "Messprogramm lauschte nicht"},
	{"not permitted without root", "ohne root nicht erlaubt"},
	{"not there", "nicht vorhanden"},
	{"not done in time", "nicht rechtzeitig fertig"},
	{facts.NoSpace, "kein Platz auf dem Dateisystem"},
	{"control groups are not mounted", "Control Groups sind nicht eingehängt"},
	{"no control groups are mounted", "es sind keine Control Groups eingehängt"},
	{"takes root or net.ipv4.ping_group_range: %w", "braucht root oder net.ipv4.ping_group_range: %w"},
	{"address is not known here: %s", "Adresse ist hier nicht bekannt: %s"},
	{"not an IP address", "keine IP-Adresse"},
	{"a link-local address takes a zone, as in %s", "eine Link-local-Adresse braucht eine Zone, wie in %s"},
	{"no echo of any size: ICMP may be filtered", "kein Echo irgendeiner Größe: ICMP wird vielleicht gefiltert"},
	{"%s bytes passed whole, then echoes failed to come back: ICMP may be limited", "%s Bytes kamen ganz durch, dann blieben Echos aus: ICMP ist vielleicht begrenzt"},
	{"connects, but says nothing", "nimmt die Verbindung an, sagt aber nichts"},
	{"connection was reset", "Verbindung wurde zurückgesetzt"},
	{"connection ended early", "Verbindung endete vorzeitig"},
	{"answered something else: nothing", "antwortete etwas anderes: nichts"},
	{"answered something else: %s bytes of %s in %s s", "antwortete etwas anderes: %s Bytes von %s in %s s"},
	{"answered something else: %s", "antwortete etwas anderes: %s"},
	{"answered %s", "antwortete %s"},
	{"too little arrived to tell: %s bytes of %s in %s s", "für eine Aussage kam zu wenig an: %s Bytes von %s in %s s"},
	{"wrong token", "falsches Token"},
	{"enough was measured", "es wurde genug gemessen"},
	{"another measurement is under way", "eine andere Messung läuft"},
	{"lists no processor", "nennt keinen Prozessor"},
	{"has no MemTotal", "hat kein MemTotal"},
	{"uptime is no time", "Laufzeit ist keine Zeit"},
	{"has no line of all processors", "hat keine Zeile für alle Prozessoren"},
	{"names no version", "nennt keine Version"},
	{"%s is not a regular file", "%s ist keine gewöhnliche Datei"},

	// why there are no facts of a host
	{"the saved survey does not have it", "die gespeicherten Messwerte enthalten ihn nicht"},
	{"no facts of it were brought", "von ihm wurden keine Messwerte gebracht"},
	{"no facts of it were brought; those brought are of %s", "von ihm wurden keine Messwerte gebracht; die gebrachten sind von %s"},
	{"no probe for %s: looked for %s", "kein Messprogramm für %s: gesucht wurde %s"},
	{"host is %s on %s; probes are for Linux on x86_64 and aarch64", "Host ist %s auf %s; Messprogramme gibt es für Linux auf x86_64 und aarch64"},
	{"no folder for temporary files lets programs run", "kein Ordner für temporäre Dateien lässt Programme laufen"},
	{"sudo refuses the password", "sudo lehnt das Passwort ab"},
	{"sudo wants a password or is not given", "sudo verlangt ein Passwort oder ist nicht erlaubt"},
	{"the probe did not arrive within two minutes", "das Messprogramm kam nicht in zwei Minuten an"},
	{"the sum of what arrived differs", "die Prüfsumme des Angekommenen weicht ab"},
	{"the host did not start the probe in time", "der Host hat das Messprogramm nicht rechtzeitig gestartet"},
	{"the host says too much before it begins", "der Host sagt zu viel, bevor es beginnt"},
	{"the probe was ended by signal %s", "das Messprogramm wurde durch Signal %s beendet"},
	{"the probe ended with exit code %s", "das Messprogramm endete mit Exit-Code %s"},
	{"the connection stood still or broke off", "die Verbindung blieb stehen oder brach ab"},
	{"the connection ended before the probe was done", "die Verbindung endete, bevor das Messprogramm fertig war"},
	{"the probe did not answer within %s", "das Messprogramm antwortete nicht innerhalb von %s"},
	{"the host sent a line that is longer than any answer", "der Host schickte eine Zeile, die länger ist als jede Antwort"},
	{"the host answered something that no probe says", "der Host antwortete etwas, das kein Messprogramm sagt"},
	{"the host answered for other ports than it was asked for", "der Host antwortete zu anderen Ports als gefragt"},
	{"the host answered for other targets than it was asked for", "der Host antwortete zu anderen Zielen als gefragt"},
	{"the host answered for other addresses than it was asked for", "der Host antwortete zu anderen Adressen als gefragt"},
	{"the host answered with no port", "der Host antwortete ohne einen Port"},
	{"the host answered with no measurement", "der Host antwortete ohne eine Messung"},
	{"not a command: %s", "kein Befehl: %s"},
	{"unknown operation %s", "unbekannter Befehl %s"},
	{"no request", "es wurde nichts verlangt"},
	{"no target", "kein Ziel"},
	{"nothing was left for later", "nichts wurde für später gelassen"},
	{"a token has 1 to %s bytes", "ein Token hat 1 bis %s Bytes"},

	// what is wrong with facts that a host sent
	{"not a facts document of %s but %s, kind %s", "kein Dokument mit Messwerten von %s, sondern %s, Art %s"},
	{"document is larger than %s bytes", "Dokument ist größer als %s Bytes"},
	{"document is not UTF-8", "Dokument ist nicht UTF-8"},
	{"not JSON: %s", "kein JSON: %s"},
	{"key %s stands twice", "Schlüssel %s steht doppelt"},
	{"more than %s keys in one object", "mehr als %s Schlüssel in einem Objekt"},
	{"nested more than %s deep", "tiefer als %s verschachtelt"},
	{"something follows the document", "nach dem Dokument folgt noch etwas"},
	{"%s: text of more than %s bytes", "%s: Text von mehr als %s Bytes"},
	{"%s: more than %s members", "%s: mehr als %s Einträge"},
	{"%s: a key is not a name", "%s: ein Schlüssel ist kein Name"},
	{"%s: %s is negative", "%s: %s ist negativ"},
	{"%s: %s is no measurement", "%s: %s ist kein Messwert"},

	// what the admin host saw
	{"name is not known", "Name ist nicht bekannt"},
	{"no record", "kein Eintrag"},
	{"the name server knows it", "der Nameserver kennt ihn"},
	{"not known here", "hier nicht bekannt"},
	{"valid until %s", "gültig bis %s"},
	{"expired on %s", "abgelaufen am %s"},
	{"not valid before %s", "nicht gültig vor %s"},
	{"does not name %s", "nennt nicht %s"},
	{"file holds no certificate", "Datei enthält kein Zertifikat"},
	{"%s: file holds no certificate", "%s: Datei enthält kein Zertifikat"},
	{"%s holds no root certificate", "%s enthält kein Stammzertifikat"},
	{"certificate signed by unknown authority", "Zertifikat von unbekannter Stelle unterschrieben"}, // this and the next in Go's words
	{"private key does not match public key", "privater Schlüssel passt nicht zum öffentlichen"},
	{"stratum %s, %s s from the admin host's clock", "Stratum %s, %s s von der Uhr des Admin-Hosts"},
	{"answer is not NTP's", "Antwort ist nicht die von NTP"},
	{"server is not synchronised itself", "Server ist selbst nicht synchronisiert"},
	{"greets with %s", "grüßt mit %s"},
	{"answer is not STUN's", "Antwort ist nicht die von STUN"},
	{"status %s", "Status %s"},
	{"what is there is no SAML metadata", "dort liegen keine SAML-Metadaten"},
	{"leads to %s", "führt zu %s"},
	{"answers, as what is installed", "antwortet, als das Installierte"},
	{"it may lead to nodes that were not measured: %s", "führt vielleicht zu Knoten, die nicht gemessen wurden: %s"},
	{"the inventory has no node", "das Inventory hat keinen Knoten"},
	{"does not lead to a node port where the probe listens", "führt zu keinem Node-Port, an dem das Messprogramm lauscht"},
	{"RSA, %s bits", "RSA, %s Bits"},

	// how it was measured
	{"local", "lokal"},
	{"saved", "gespeichert"},
	{"asked for on its own", "einzeln abgefragt"},
	{"architecture that the probe was built for and runs on", "Architektur, für die das Messprogramm gebaut ist und auf der es läuft"},
	{"least of threads, affinity and quota", "das Kleinste aus Threads, Affinität und Quote"},
	{"processor flag aes", "Prozessor-Flag aes"},
	{"median share of stolen time in %s windows, over %s", "Median des entzogenen Anteils in %s Fenstern, über %s"},
	{"MemTotal less huge pages, or the control groups' limit where that is less", "MemTotal ohne Huge Pages, oder die Grenze der Control Groups, wenn sie kleiner ist"},
	{"statfs(2) of %s", "statfs(2) von %s"},
	{"statfs(2), mount table", "statfs(2), Mount-Tabelle"},
	{"median of the 99th percentiles of 5 runs of up to 100 writes of 2300 bytes with fdatasync(2), 1s each at most", "Median der 99. Perzentile von 5 Läufen mit bis zu 100 Schreibvorgängen von 2300 Bytes mit fdatasync(2), je höchstens 1 s"},
	{"host name of the kernel", "Hostname des Kernels"},
	{"interfaces but loopback; an address without unlimited lifetime is dynamic", "Schnittstellen außer Loopback; eine Adresse mit begrenzter Gültigkeit ist dynamisch"},
	{"speed that the driver reports", "Geschwindigkeit, die der Treiber nennt"},
	{"default routes", "Standardrouten"},
	{"default routes, and others to more addresses than any site has (shorter than /8)", "Standardrouten und andere zu mehr Adressen, als ein Standort hat (kürzer als /8)"},
	{"lookup of routes to addresses outside, without sending", "Suche nach Routen zu Adressen außerhalb, ohne zu senden"},
	{"route of the admin host", "Route des Admin-Hosts"},
	{"leads out from %s", "führt hinaus von %s"},
	{"count of bits in the affinity mask", "Zahl der Bits in der Affinitätsmaske"},
	{"module folder of the running kernel, else its module lists", "Modulordner des laufenden Kernels, sonst seine Modullisten"},
	{"value of the running kernel", "Wert des laufenden Kernels"},
	{"flag STA_UNSYNC of the kernel clock", "Flag STA_UNSYNC der Kernel-Uhr"},
	{"shortest of %s exchanges with the admin host, against the median of all hosts", "kürzester von %s Austauschen mit dem Admin-Host, gegen den Median aller Hosts"},
	{"settings, running programs, tables in the kernel", "Einstellungen, laufende Programme, Tabellen im Kernel"},
	{"mode of the running kernel", "Modus des laufenden Kernels"},
	{"executable file in the system's path", "ausführbare Datei im Suchpfad des Systems"},
	{"running programs, executable files", "laufende Programme, ausführbare Dateien"},
	{"files and folders that are not empty", "Dateien und Ordner, die nicht leer sind"},
	{"processor flag hypervisor, or Xen's type", "Prozessor-Flag hypervisor oder der Typ von Xen"},
	{"sum of what its machines see or were given, by the site document", "Summe dessen, was seine Maschinen sehen oder laut Standortdokument bekommen haben"},
	{"listener of the probe there, dialled from the hosts that need it", "das Messprogramm lauscht dort und wird von den Hosts angewählt, die den Port brauchen"},
	{"bytes of one TCP stream at the host that receives, over 2 s of which the first fifth does not count", "Bytes eines TCP-Stroms beim Empfänger in 2 s, von denen das erste Fünftel nicht zählt"},
	{"ICMP echoes that may not be fragmented: the largest that comes back, both ways", "ICMP-Echos, die nicht zerlegt werden dürfen: das größte, das zurückkommt, in beide Richtungen"},
	{"sockets in state LISTEN, and bound UDP sockets", "Sockets im Zustand LISTEN und gebundene UDP-Sockets"},
	{"version in the name of brig's image among those that the asset host serves", "Version im Namen von brigs Image unter denen, die der Asset-Host ausliefert"},
	{"TCP connection from the admin host, answered by the probes that listen on the node ports", "TCP-Verbindung vom Admin-Host aus, beantwortet von den Messprogrammen, die an den Node-Ports lauschen"},
	{"site document", "Standortdokument"},
	{"inventory groups", "Gruppen des Inventorys"},
	{"inventory groups %s", "Gruppen des Inventorys: %s"},
	{"inventory group %s", "Gruppe des Inventorys: %s"},
	{"lookup of A and AAAA records from the admin host", "Abfrage von A- und AAAA-Einträgen vom Admin-Host aus"},
	{"lookup of SRV records from the admin host", "Abfrage von SRV-Einträgen vom Admin-Host aus"},
	{"lookup of names from outside, from the admin host", "Abfrage fremder Namen vom Admin-Host aus"},
	{"certificate file", "Zertifikatsdatei"},
	{"TLS handshake from the admin host", "TLS-Handshake vom Admin-Host aus"},
	{"one NTP request from the admin host", "eine NTP-Anfrage vom Admin-Host aus"},
	{"SMTP greeting, EHLO and QUIT from the admin host", "SMTP-Begrüßung, EHLO und QUIT vom Admin-Host aus"},
	{"STUN binding request over %s from the admin host", "STUN-Binding-Anfrage über %s vom Admin-Host aus"},
	{"HTTP GET from the admin host", "HTTP GET vom Admin-Host aus"},

	// whose requirement it is
	{"table %s", "Tabelle %s"},
	{"bundle %s", "Bundle %s"},
	{"ports %s", "Ports %s"},
}

// Phrase returns a plain text of a finding or a survey for a reader. What is not
// known stays as it is: a path, a name, a message of another program.
func Phrase(s string) page.Text {
	if text, ok := outcomeWords[facts.Outcome(s)]; ok {
		return text
	}
	if numbers.MatchString(s) {
		return page.Text{EN: s, DE: strings.ReplaceAll(s, ".", ",")}
	}
	if german, ok := german(s); ok {
		return page.Text{EN: s, DE: german}
	}
	if i := strings.LastIndex(s, " ("); i > 0 { // a method and where it looked
		if german, ok := german(s[:i]); ok {
			return page.Text{EN: s, DE: german + s[i:]}
		}
	}
	if word, rest, ok := strings.Cut(s, ": "); ok { // an outcome and its detail
		if text, ok := outcomeWords[facts.Outcome(word)]; ok {
			return page.Text{EN: text.EN + ": " + Phrase(rest).EN, DE: text.DE + ": " + Phrase(rest).DE}
		}
	}
	return page.Text{EN: s, DE: s}
}

func german(s string) (string, bool) {
	for _, p := range phrases {
		if german, ok := p.german(s); ok {
			return german, true
		}
	}
	return "", false
}

// german returns a text in German if it is this phrase.
func (p phrase) german(s string) (string, bool) {
	before, en, more := strings.Cut(p.en, "%")
	if !more {
		return p.de, s == p.en
	}
	s, begins := strings.CutPrefix(s, before)
	if !begins {
		return "", false
	}
	verb, en := en[0], en[1:]
	between, _, more := strings.Cut(en, "%")
	end := len(s) - len(between) // the last one reaches as far as it can
	if more {
		end = strings.Index(s, between)
	}
	if end < 0 {
		return "", false
	}
	filled := s[:end]
	if verb == 'w' {
		filled = Phrase(filled).DE
	}
	before, de, _ := strings.Cut(p.de, "%")
	rest, ok := phrase{en, de[1:]}.german(s[end:])
	return before + filled + rest, ok
}
