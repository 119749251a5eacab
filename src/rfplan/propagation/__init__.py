"""Propagation models, one file a model, and the point-to-area grid."""
