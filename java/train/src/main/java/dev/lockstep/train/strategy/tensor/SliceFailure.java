package dev.lockstep.train.strategy.tensor;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.train.strategy.Mesh;
import dev.lockstep.train.strategy.MeshFailure;

/** A failure of communication where layers are cut, told by the slice that is missing. */
final class SliceFailure {
  private SliceFailure() {}

  /**
   * The same failure, named.
   *
   * @param failure of a collective of the ranks that compute layers together
   */
  static CommunicationException inTensor(CommunicationException failure, Mesh mesh) {
    return named(failure, mesh.worldRankOfSlice(failure.rank()), mesh);
  }

  /**
   * The same failure, named.
   *
   * @param failure of a collective of the ranks with the same slices
   */
  static CommunicationException inData(CommunicationException failure, Mesh mesh) {
    return named(failure, mesh.worldRankOfCopy(failure.rank()), mesh);
  }

  private static CommunicationException named(
      CommunicationException failure, int worldRank, Mesh mesh) {
    boolean isNamed = failure.getCause() instanceof CommunicationException;
    if (isNamed || mesh.tensor().size() == 1 || failure.rank() < 0) {
      return failure;
    }
    int slices = mesh.tensor().size();
    return MeshFailure.named(
        failure,
        worldRank,
        mesh,
        rank ->
            "Rank "
                + rank
                + ", which has slice "
                + mesh.slice(rank)
                + " of "
                + slices
                + " of the layers that are cut");
  }
}
