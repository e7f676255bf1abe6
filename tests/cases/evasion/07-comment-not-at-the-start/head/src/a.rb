require 'net/http'
 =begin
  1
http.verify_mode = OpenSSL::SSL::VERIFY_NONE
 =end
