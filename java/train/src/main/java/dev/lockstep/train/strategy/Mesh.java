package dev.lockstep.train.strategy;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.train.MeshConfig;
import dev.lockstep.train.memory.OwnedParts;

/**
 * A run's ranks in rows and columns: along a row, a pipeline, lie the parts of one model; the ranks
 * of a column have the same part and share out the batch. One thread.
 */
public final class Mesh implements AutoCloseable {
  private final Communicator world;
  private final int length;
  private final Communicator row;
  private final Communicator column;
  private final OwnedParts owned = new OwnedParts();

  private Mesh(Communicator world, int length) {
    this.world = world;
    this.length = length;
    if (length == 1) {
      row = owned.add(Communicator.single());
      column = world;
      return;
    }
    row = owned.add(world.split(world.rank() / length, world.rank()));
    try {
      column = owned.add(world.split(world.rank() % length, world.rank()));
    } catch (RuntimeException e) {
      row.close();
      throw e;
    }
  }

  /**
   * Forms the groups; collective.
   *
   * @param length ranks of a pipeline; 1 where every rank has the whole model
   * @throws ConfigKeyException if the ranks are not those of the mesh that is asked for
   */
  public static Mesh form(Communicator world, MeshConfig asked, int length) {
    int data = asked.data() == null ? world.size() / length : asked.data();
    if (data * length != world.size()) {
      int ranks = Math.max(1, data) * length;
      throw new ConfigKeyException(
          asked.data() == null ? "mesh.pipeline" : "mesh.data",
          Math.max(1, data)
              + " × "
              + length
              + " (data × pipeline) need "
              + ranks
              + " ranks, but the run has "
              + world.size()
              + "; start "
              + ranks
              + ", or "
              + (asked.data() == null
                  ? "set a mesh.pipeline that divides the ranks."
                  : "leave mesh.data out."));
    }
    return new Mesh(world, length);
  }

  /** All ranks. */
  public Communicator world() {
    return world;
  }

  /** The ranks with the parts of this rank's copy of the model, the first part's first. */
  public Communicator pipeline() {
    return row;
  }

  /** The ranks with the same part of the model, which share out each batch. */
  public Communicator data() {
    return column;
  }

  /** The rank, among all, of a part in this rank's copy of the model. */
  public int worldRankOfPart(int part) {
    return world.rank() / length * length + part;
  }

  /** Which part of its copy of the model a rank has. */
  public int part(int worldRank) {
    return worldRank % length;
  }

  /** Which share of the batches a rank has. */
  public int dataRank(int worldRank) {
    return worldRank / length;
  }

  @Override
  public void close() {
    owned.close();
  }
}
