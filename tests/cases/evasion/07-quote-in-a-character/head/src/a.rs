fn a() {
    let q = '"'; let c = Client::builder().danger_accept_invalid_certs(true); let r = '"';
}
