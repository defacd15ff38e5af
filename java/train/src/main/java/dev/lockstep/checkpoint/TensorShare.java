package dev.lockstep.checkpoint;

/**
 * What one rank writes of a tensor.
 *
 * @param tensor all of it, or this rank's part; a part is a vector
 * @param placement where it lies among the ranks
 */
public record TensorShare(StoredTensor tensor, Placement placement) {}
