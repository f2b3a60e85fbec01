//! Figures and reports for cresset: plots as PNG and SVG without any system library.
