#[no_mangle]
pub fn a() {}
