import "./theme.js";
import "./copy.js";
