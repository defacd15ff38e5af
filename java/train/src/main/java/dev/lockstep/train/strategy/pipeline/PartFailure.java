package dev.lockstep.train.strategy.pipeline;

import dev.lockstep.LockstepException;
import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorClosedException;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.train.strategy.Mesh;

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
    CommunicationException first = cause(failure, mesh.pipeline());
    int part = first.rank();
    return part < 0 || part >= mesh.pipeline().size()
        ? failure
        : named(first, part, mesh.worldRankOfPart(part), cut);
  }

  /**
   * The same failure, named.
   *
   * @param failure of a collective in the group with the same part of the model
   */
  static CommunicationException inData(CommunicationException failure, ModelCut cut, Mesh mesh) {
    int length = mesh.pipeline().size();
    int part = mesh.pipeline().rank();
    return failure.rank() < 0 || length == 1
        ? failure
        : named(failure, part, failure.rank() * length + part, cut);
  }

  private static CommunicationException named(
      CommunicationException failure, int part, int rank, ModelCut cut) {
    boolean silent = failure instanceof CollectiveTimeoutException;
    String message =
        "Rank "
            + rank
            + ", which has "
            + cut.describe(part)
            + (silent ? ", does not answer: " : ", is gone: ")
            + LockstepException.messageOf(failure);
    return silent
        ? new CollectiveTimeoutException(message, rank, failure)
        : failure instanceof PeerFailedException
            ? new PeerFailedException(message, rank, failure)
            : failure;
  }

  /**
   * A neighbour that is gone may have left because of another rank: a collective tells of that one
   * on all ranks.
   */
  private static CommunicationException cause(
      CommunicationException failure, Communicator pipeline) {
    if (!(failure instanceof PeerFailedException)) {
      return failure;
    }
    try {
      pipeline.barrier();
    } catch (CommunicatorClosedException closed) {
      return failure;
    } catch (PeerFailedException told) {
      return told;
    } catch (CommunicationException other) {
      return failure;
    }
    return failure;
  }
}
