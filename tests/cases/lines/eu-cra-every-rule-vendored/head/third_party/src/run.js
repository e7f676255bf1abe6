const { exec } = require("child_process");
function clean(dir) { exec("rm -r " + dir); }
