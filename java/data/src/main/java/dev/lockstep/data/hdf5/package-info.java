/**
 * A reader of HDF5 files, and so of NetCDF-4, in Java alone, after the "HDF5 File Format
 * Specification" (versions 2.0 and 3.0; The HDF Group): a damaged file ends in an exception, never
 * in the loss of the JVM.
 *
 * <p>{@link dev.lockstep.data.hdf5.Hdf5File} is the door. {@code ObjectTree} walks the groups,
 * {@code ObjectHeader} holds an object's messages, {@code Storage} the file's bytes; {@code
 * ChunkIndex} finds chunks, {@code FilterPipeline} decodes them, {@code ChunkCache} keeps them
 * whole for all columns, and {@code ValueReader} copies values out of them.
 */
@NullMarked
package dev.lockstep.data.hdf5;

import org.jspecify.annotations.NullMarked;
