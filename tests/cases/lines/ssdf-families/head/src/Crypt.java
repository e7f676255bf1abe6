import javax.crypto.Cipher;
class Crypt {
  Cipher a() throws Exception { return Cipher.getInstance("AES/ECB/PKCS5Padding"); }
}
