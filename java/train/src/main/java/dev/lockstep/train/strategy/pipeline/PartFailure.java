package dev.lockstep.train.strategy.pipeline;

import dev.lockstep.LockstepException;
import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.train.strategy.Mesh;
import org.jspecify.annotations.Nullable;

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
    int rank = failure.rank() * mesh.pipeline().size() + mesh.pipeline().rank();
    return named(failure, rank, cut, mesh);
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
    if (failure instanceof CollectiveTimeoutException) {
      String message = describe(worldRank, cut, mesh) + ", does not answer: " + text(failure);
      return new CollectiveTimeoutException(message, worldRank, failure);
    }
    if (!(failure instanceof PeerFailedException)) {
      return failure;
    }
    PeerFailedException first = firstOfAll(mesh.world());
    int rank = first == null || first.rank() < 0 ? worldRank : first.rank();
    String message =
        describe(rank, cut, mesh) + ", is gone: " + text(first == null ? failure : first);
    return new PeerFailedException(message, rank, failure);
  }

  private static String describe(int worldRank, ModelCut cut, Mesh mesh) {
    return "Rank " + worldRank + ", which has " + cut.describe(mesh.part(worldRank));
  }

  private static String text(CommunicationException failure) {
    return LockstepException.messageOf(failure);
  }

  /**
   * A rank that is gone may have left because of another one, of this pipeline or of another: a
   * collective of all ranks tells of the first, on all ranks.
   */
  private static @Nullable PeerFailedException firstOfAll(Communicator world) {
    try {
      world.barrier();
    } catch (PeerFailedException told) {
      return told;
    } catch (CommunicationException other) {
      return null;
    }
    return null;
  }
}
