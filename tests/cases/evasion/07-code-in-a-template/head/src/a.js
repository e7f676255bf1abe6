const https = require('https');
const s = `${https.request({ rejectUnauthorized: false })}`;
