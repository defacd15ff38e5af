package dev.lockstep.train.strategy.pipeline;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.train.strategy.Mesh;
import dev.lockstep.train.strategy.MeshFailure;

/** A failure of communication in a pipeline, told by the part of the model that is missing. */
final class PartFailure {
  private PartFailure() {}

  /**
   * The same failure, named.
   *
   * @param failure of a message or a collective in the pipeline's group
   */
  static CommunicationException inPipeline(
      CommunicationException failure, ModelCut cut, Mesh mesh) {
    return named(failure, mesh.worldRankOfPart(failure.rank()), cut, mesh);
  }

  /**
   * The same failure, named.
   *
   * @param failure of a collective in the group with the same part of the model
   */
  static CommunicationException inData(CommunicationException failure, ModelCut cut, Mesh mesh) {
    return named(failure, mesh.worldRankOfCopy(failure.rank()), cut, mesh);
  }

  /**
   * Names the rank that failed, and its part.
   *
   * @param worldRank of the rank that the failure tells of, if it tells of one
   */
  private static CommunicationException named(
      CommunicationException failure, int worldRank, ModelCut cut, Mesh mesh) {
    if (mesh.pipeline().size() == 1 || failure.rank() < 0) {
      return failure;
    }
    return MeshFailure.named(
        failure,
        worldRank,
        mesh,
        rank -> "Rank " + rank + ", which has " + cut.describe(mesh.part(rank)));
  }
}
