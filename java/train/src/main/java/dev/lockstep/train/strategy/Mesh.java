package dev.lockstep.train.strategy;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.train.MeshConfig;
import dev.lockstep.train.memory.OwnedParts;

/**
 * A run's ranks along three axes: copies of the model, which share out the batch; of each copy the
 * parts, which are a pipeline; of each part the slices of its layers' widths. The ranks of a part
 * are neighbours. One thread.
 */
public final class Mesh implements AutoCloseable {
  private final Communicator world;
  private final Communicator data;
  private final Communicator pipeline;
  private final Communicator tensor;
  private final OwnedParts owned = new OwnedParts();

  private Mesh(Communicator world, int parts, int slices) {
    this.world = world;
    int rank = world.rank();
    int copy = rank / (parts * slices);
    int part = rank / slices % parts;
    int slice = rank % slices;
    try {
      tensor = line(slices, rank / slices);
      pipeline = line(parts, copy * slices + slice);
      int copies = world.size() / (parts * slices);
      data = copies == world.size() ? world : line(copies, part * slices + slice);
    } catch (RuntimeException e) {
      try {
        owned.close();
      } catch (RuntimeException other) {
        e.addSuppressed(other);
      }
      throw e;
    }
  }

  /** A group of so many ranks, all of which name the same number; collective in the world. */
  private Communicator line(int size, int number) {
    return owned.add(size == 1 ? Communicator.single() : world.split(number, world.rank()));
  }

  /**
   * Forms the groups; collective.
   *
   * @param parts ranks of a pipeline; 1 where every rank has all layers
   * @param slices ranks that compute a layer together; 1 where every rank has whole layers
   * @throws ConfigKeyException if the ranks are not those of the mesh that is asked for
   */
  public static Mesh form(Communicator world, MeshConfig asked, int parts, int slices) {
    int ofCopy = parts * slices;
    int copies = asked.data() == null ? world.size() / ofCopy : asked.data();
    if (copies * ofCopy != world.size()) {
      int ranks = Math.max(1, copies) * ofCopy;
      String axis = slices > 1 ? "tensor" : "pipeline";
      throw new ConfigKeyException(
          asked.data() == null ? "mesh." + axis : "mesh.data",
          Math.max(1, copies)
              + " × "
              + ofCopy
              + " (data × "
              + axis
              + ") need "
              + ranks
              + " ranks, but the run has "
              + world.size()
              + "; start "
              + ranks
              + ", or "
              + (asked.data() == null
                  ? "set a mesh." + axis + " that divides the ranks."
                  : "leave mesh.data out."));
    }
    return new Mesh(world, parts, slices);
  }

  /** All ranks. */
  public Communicator world() {
    return world;
  }

  /** The ranks with the parts of this rank's copy of the model, the first part's first. */
  public Communicator pipeline() {
    return pipeline;
  }

  /** The ranks that compute the layers of this rank's part together, the first slice's first. */
  public Communicator tensor() {
    return tensor;
  }

  /** The ranks with the same tensors of the model, which share out each batch. */
  public Communicator data() {
    return data;
  }

  /** The rank, among all, of a part in this rank's copy of the model. */
  public int worldRankOfPart(int part) {
    return rank(data.rank(), part, tensor.rank());
  }

  /** The rank, among all, of a slice of this rank's part. */
  public int worldRankOfSlice(int slice) {
    return rank(data.rank(), pipeline.rank(), slice);
  }

  /** The rank, among all, of what this rank has in another copy of the model. */
  public int worldRankOfCopy(int copy) {
    return rank(copy, pipeline.rank(), tensor.rank());
  }

  private int rank(int copy, int part, int slice) {
    return (copy * pipeline.size() + part) * tensor.size() + slice;
  }

  /** Which part of its copy of the model a rank has. */
  public int part(int worldRank) {
    return worldRank / tensor.size() % pipeline.size();
  }

  /** Which slice of its part's layers a rank has. */
  public int slice(int worldRank) {
    return worldRank % tensor.size();
  }

  /** Which share of the batches a rank has. */
  public int dataRank(int worldRank) {
    return worldRank / (pipeline.size() * tensor.size());
  }

  @Override
  public void close() {
    owned.close();
  }
}
