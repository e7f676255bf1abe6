//! How common a literal is in source text.
//!
//! Counted once: how often one byte follows another (some 7 MB of sources in twenty languages), and how often the
//! commonest words stand there, which the pairs underrate (94 MB of sources of thirteen projects; the smaller figure of
//! two halves, so that no project's own words count). Only the order of the costs matters, and only for speed.

use super::formula::{DIGIT, EDGE, core};

/// Classes of bytes: letters of either case, line ends and tabs, digits, and the commonest signs are told apart.
const CLASSES: usize = 41;

/// For each pair of classes twice the negative binary logarithm of its share, from `#` on.
const PAIRS: &[u8; CLASSES * CLASSES] = b"\
    5545:85>6<9342=5;34189;98=6?8>==A>?>;;>;S\
    79<=5=<>:9>7>>8>=;;>6?>>8?;@8>9?@?CC=?@>S\
    5;9=5;>49<57=>2=>7949>>?;=7@8=:=;>@>>>@<S\
    6;<82=;>6>=:<<7<>:8<9=><<>4;899:9;>:9>=:P\
    4:33768=9==462;66013;8748?18976768;67<;8K\
    6==>89<?4>>::<5=>8;:7>??<>4>9@;=;=H><??>P\
    8>;>4;8;7>>;<;8<;68<:=>?=?6;:;8<<<@==;?:S\
    5==>3??>6>>=>>7>?:<87>>>;?7>9<;=<>A<>>?>S\
    8956656>9=<45038>743>9>:>8;@:>=?G@D?@;><N\
    >>??8?>>?>=>??;>>>:?=>>>?>BJ:MAESESLF@G@S\
    :>>>5=;>7>>=>==9==9><>=?>>9>9<<?>@A?@@@>P\
    4<<739?>4>>6<=4;?=666<>>9>6::::::<A<<=?;P\
    4:=<3>>>7>>;9:66==899>>>=>7@:<:>>@B>?9?<H\
    4<54463=5=9;;84:><5299<>:=3;::9<9<?99<<9L\
    :765;77>8<754166?276587==?6?:=9A>BA?<==>P\
    5<<;4==88?;6>>57?5868=>>:>9@:<;><?<=<>@;P\
    ;?>?>?>?;?><???>;>>?5>????AI:I@BJCCFDAP@S\
    3=880:8>3>::863;>45568<>6?3:998988?::<<:L\
    7=6<2;<65?9;;<66=;517<:?9>29:85889=68:=8J\
    3=7;1;=22>>9:<38>3575=;:5>29776789=99<;8K\
    979;4;;?6?>674=7>455==?=?>=I9EDKPKCHCAC@N\
    5>=>5>>?8?>=>>;>>>>>==>>>>=D6B?BDBAA>?C?S\
    8>=>9>>97>?==;9=>9;=>>>??>;C:@<@>BCB@@A?P\
    ;=;=:=>>;>?===>7?==7>>?;=>9@8<==>?C>?=>=P\
    <><>=>??<?><<9:6?=99>>=?>>6<9;:<<=@;;=>;M\
    <?>>8???>>??>>=??>>>>>>>>=EF:LFIKKHL@@H@S\
    253544873<:45445:421766=;@*C4:<L6;473:70>\
    <;9::7;@7B@;;;=<?699=;=CEI1.>?FSE<KN97:3H\
    888898;:::::99::::89:9:7::790@66<8A:8997I\
    :;8;:<==9B>;::::@:89=<=EFG<B=<F<BCIH@PP@S\
    8;6:8::=9><998:9@978;<<C@C867>;C?AKI=AM<P\
    HFICEINKHELJMB>BSEHKIBSESS13ASPSP?PK:KP?N\
    <<9<<<?=;BA;:<><D;97>>?DGIE9:@CS>6NP8J?7K\
    PPSMPKSJISSSKSSSSPISSSMSMS44SS97B8M;@DF8N\
    CDACDAEDCLIBBBECID??FDGLPL3<>DIPBK9H9CG;K\
    ?B>?B@DCAEEBA>@@FA??C@CEFF26<SHLKL7;:;C:N\
    9;:;<::<;D?;;;=;A;99=;??BD97:?=4C8D68>?6E\
    ;=;;=>9>=??9=?=:@=;<>;?>@@7>:HCJLBNMA6I=P\
    <>;=>=>>>FA=>?>=C=;<@@AFFD8<9NKMIICSCK5:S\
    9:::<;=>9==:;8<:=;79=<=@?A227B;6:89<6<;3H\
    LNKPPPSSLSSMNHSPSPHKMSSSMS?DGSPJSKSPDPPI:\
    ";

/// The same for single classes.
const SINGLE: &[u8; CLASSES] = b",0..+///,31-.,,.2,,+.11103(,-1/01120/12-9";

/// Common words and how often they stand in a million bytes, parts of `camelCase` names included.
#[rustfmt::skip]
const WORDS: &[(&str, u32)] = &[
    ("the", 1429), ("name", 1167), ("return", 1093), ("err", 919), ("type", 893), ("value", 862), ("string", 849),
    ("error", 670), ("nil", 593), ("for", 578), ("test", 548), ("new", 465), ("github", 445), ("with", 427),
    ("and", 408), ("func", 377), ("key", 369), ("not", 363), ("config", 361), ("this", 361), ("path", 346),
    ("true", 341), ("text", 331), ("com", 323), ("context", 319), ("from", 299), ("assert", 285), ("index", 284),
    ("get", 283), ("require", 282), ("state", 280), ("false", 273), ("version", 269), ("that", 268), ("int", 258),
    ("map", 255), ("set", 246), ("add", 245), ("data", 229), ("description", 225), ("size", 225), ("default", 214),
    ("message", 206), ("list", 206), ("file", 203), ("result", 202), ("column", 198), ("var", 195), ("ctx", 193),
    ("source", 187), ("import", 180), ("self", 175), ("all", 175), ("run", 173), ("http", 173), ("request", 172),
    ("len", 169), ("def", 168), ("user", 167), ("equal", 167), ("https", 167), ("time", 165), ("end", 164),
    ("api", 162), ("object", 162), ("stream", 160), ("field", 152), ("build", 151), ("types", 141), ("input", 140),
    ("else", 135), ("service", 135), ("log", 134), ("use", 133), ("ref", 132), ("package", 131), ("cache", 128),
    ("are", 124), ("base", 121), ("update", 119), ("start", 118), ("case", 117), ("should", 117), ("foo", 115),
    ("url", 115), ("json", 114), ("any", 113), ("one", 112), ("status", 110), ("match", 110), ("mode", 109),
    ("range", 109), ("null", 109), ("format", 108), ("issues", 106), ("when", 106), ("delete", 105), ("can", 105),
    ("create", 104), ("image", 103), ("event", 102), ("empty", 101), ("org", 101), ("info", 100), ("only", 99),
    ("response", 98), ("client", 97), ("number", 97), ("errors", 97), ("code", 96), ("env", 95), ("you", 95),
    ("byte", 93), ("table", 92), ("filter", 91), ("length", 91), ("invalid", 90), ("target", 89), ("none", 89),
    ("group", 88), ("local", 88), ("query", 88), ("read", 87), ("commit", 86), ("task", 85), ("long", 84),
    ("parse", 84), ("count", 84), ("proto", 82), ("content", 81), ("before", 81), ("line", 81), ("token", 80),
    ("str", 80), ("metadata", 80), ("has", 80), ("options", 80), ("out", 80), ("max", 79), ("server", 78),
    ("bool", 78), ("dir", 77), ("testing", 76), ("store", 75), ("class", 75), ("shift", 75), ("check", 73),
    ("root", 73), ("open", 73), ("will", 73), ("required", 72), ("make", 72), ("pull", 72), ("uint", 71),
    ("post", 70), ("push", 69), ("job", 69), ("hash", 69), ("struct", 69), ("found", 69), ("project", 68),
    ("entry", 68), ("git", 68), ("wire", 68), ("names", 68), ("append", 68), ("files", 67), ("parent", 66),
    ("output", 66), ("write", 66), ("used", 66), ("non", 66), ("label", 65), ("merge", 65), ("contains", 64),
    ("args", 63), ("close", 63), ("docker", 63), ("call", 63), ("template", 62), ("next", 61), ("copy", 61),
    ("opts", 60), ("properties", 60), ("last", 60), ("must", 60), ("python", 59), ("page", 59), ("example", 59),
    ("bar", 59), ("first", 59), ("array", 58), ("after", 58), ("node", 58), ("req", 58), ("let", 58), ("src", 58),
    ("expected", 57), ("handler", 57), ("release", 56), ("other", 56), ("have", 56), ("join", 56), ("fields", 56),
    ("record", 55), ("builder", 55), ("current", 55), ("each", 54), ("some", 54), ("function", 54), ("action", 54),
    ("results", 53), ("container", 53), ("lock", 53), ("queue", 53), ("fmt", 51), ("failed", 51), ("policy", 50),
    ("desc", 50), ("left", 50), ("frontend", 50), ("cmd", 50), ("auth", 50), ("bytes", 50), ("mod", 50),
    ("module", 49), ("command", 49), ("level", 49), ("span", 49), ("keys", 49), ("returns", 48), ("same", 48),
    ("secret", 48), ("expr", 48), ("logger", 48), ("two", 48), ("dockerfile", 47), ("eof", 47), ("item", 47),
    ("option", 46), ("debug", 46), ("resource", 46), ("your", 46), ("where", 45), ("repo", 45), ("header", 45),
    ("now", 45), ("marshal", 44), ("obj", 44), ("strings", 44), ("validation", 44), ("step", 44), ("kind", 44),
    ("search", 44), ("unexpected", 44), ("configuration", 43), ("body", 43), ("enabled", 43), ("reference", 43),
    ("prefix", 43), ("num", 42), ("which", 42), ("opt", 42), ("address", 42), ("min", 42), ("runtime", 42),
    ("then", 42), ("custom", 42), ("break", 41), ("into", 41), ("skip", 41), ("spec", 41), ("raw", 41), ("tag", 41),
    ("select", 41), ("registry", 41), ("handle", 41), ("predicate", 40), ("order", 40), ("meta", 40), ("allow", 40),
    ("attributes", 40), ("sha", 39), ("alert", 39), ("pattern", 39), ("workflow", 39), ("literal", 39), ("util", 39),
    ("digest", 39), ("defer", 39), ("display", 38), ("optional", 38), ("params", 38), ("valid", 38), ("latest", 38),
    ("app", 38), ("errorf", 37), ("child", 37), ("global", 37), ("host", 37), ("process", 37), ("while", 37),
    ("instance", 36), ("doc", 36), ("method", 36), ("remove", 36), ("background", 36), ("yaml", 36), ("clone", 36),
    ("but", 35), ("enable", 35), ("internal", 35), ("using", 35), ("reason", 35), ("without", 35), ("mock", 35),
    ("values", 35), ("tests", 35), ("scheduler", 35), ("does", 35),
];

/// The class of a byte.
fn class(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => usize::from(byte - b'a'),
        b'A'..=b'Z' => usize::from(byte - b'A'),
        b'0'..=b'9' | DIGIT => 28,
        b'\n' | b'\r' | b'\t' => 27,
        128.. => 40,
        b'\'' => 36,
        _ => b" \0\0_.,()=:\"/-".iter().position(|known| *known == byte).map_or(39, |place| 26 + place),
    }
}

/// How many times in a million bytes some bytes are to be expected one after the other, roughly.
pub(super) fn per_million(bytes: &[u8]) -> f64 {
    by_pairs(core(bytes)).max(by_words(bytes))
}

/// By the words that hold the longest of its own. What else there is makes it rarer.
fn by_words(bytes: &[u8]) -> f64 {
    let own = bytes.split(|byte| !byte.is_ascii_alphabetic()).max_by_key(|word| word.len()).unwrap_or_default();
    if own.len() < 3 {
        return 0.0;
    }
    let (starts, ends) = (bytes.starts_with(&[EDGE]), bytes.ends_with(&[EDGE]));
    let holds = |word: &str| match (starts, ends) {
        (true, true) => word.as_bytes() == own,
        (true, false) => word.as_bytes().starts_with(own),
        (false, true) => word.as_bytes().ends_with(own),
        (false, false) => memchr::memmem::find(word.as_bytes(), own).is_some(),
    };
    let sum: u32 = WORDS.iter().filter(|(word, _)| holds(word)).map(|(_, rate)| rate).sum();
    f64::from(sum) / if own.len() == core(bytes).len() { 1.0 } else { 4.0 }
}

fn by_pairs(bytes: &[u8]) -> f64 {
    let bits = |code: Option<&u8>| code.map_or(0.0, |code| f64::from(code.saturating_sub(b'#')) / 2.0);
    let single = |byte: &u8| bits(SINGLE.get(class(*byte)));
    let pair = |a: &u8, b: &u8| bits(PAIRS.get(class(*a) * CLASSES + class(*b)));
    let first = bytes.first().map_or(0.0, single);
    let rest: f64 = bytes.iter().zip(bytes.iter().skip(1)).map(|(a, b)| pair(a, b) - single(a)).sum();
    1e6 * (-first - rest).exp2()
}

#[cfg(test)]
mod tests {
    use super::per_million;

    /// Everyday English and code: no source is needed for these.
    #[test]
    fn common_words_are_commoner() {
        assert!(per_million(b"the ") > per_million(b"akia"));
        assert!(per_million(b"err") > per_million(b"xzq"));
        assert!(per_million(b"in") > per_million(b"insecure"));
        assert!(per_million(b"return") > per_million(b"turbine"));
    }
}
