const https = require('https');
const re = /[/*]/; https.request({ rejectUnauthorized: false }); /* end */
