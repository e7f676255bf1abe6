import javax.net.ssl.*;
class A {
  void a(HttpsURLConnection c) {
    // note \u000a c.setHostnameVerifier((host, session) -> true);
  }
}
