unsafe extern "C" {
    fn abs(x: i32) -> i32;
}
fn main() {
    let _ = unsafe { abs(-1) };
    let _ = std::process::Command::new("ls").status();
}
