/**
 * Models: TorchScript modules that are built here from a configuration, or loaded from a file that
 * PyTorch wrote, and saved so that PyTorch loads them.
 */
@NullMarked
package dev.lockstep.model;

import org.jspecify.annotations.NullMarked;
