//! How common a literal is in source text.
//!
//! Counted once over some 7 MB of sources in twenty languages: how often one byte follows another. Only the order of
//! the costs matters, and only for speed.

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

/// The class of a byte.
fn class(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => usize::from(byte - b'a'),
        b'A'..=b'Z' => usize::from(byte - b'A'),
        b'0'..=b'9' => 28,
        b'\n' | b'\r' | b'\t' => 27,
        128.. => 40,
        b'\'' => 36,
        _ => b" \0\0_.,()=:\"/-".iter().position(|known| *known == byte).map_or(39, |place| 26 + place),
    }
}

/// How many times in a million bytes some bytes are to be expected one after the other, roughly.
pub(super) fn per_million(bytes: &[u8]) -> f64 {
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
    }
}
