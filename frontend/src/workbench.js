import "./theme.js";
import "./copy.js";
import "./csrf.js";
import "./tabs.js";
import "./bench.js";
import "./share.js";
import "./keys.js";
