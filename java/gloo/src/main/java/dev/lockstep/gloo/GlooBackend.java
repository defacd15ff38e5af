package dev.lockstep.gloo;

import dev.lockstep.comm.Backend;
import dev.lockstep.comm.BackendProvider;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.FlightRecorder;
import dev.lockstep.comm.TcpOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Groups over the Gloo of the presets' libtorch. */
public final class GlooBackend implements BackendProvider {
  private static final Logger LOG = LoggerFactory.getLogger(Communicator.class);

  @Override
  public Backend backend() {
    return Backend.GLOO;
  }

  @Override
  public Communicator open(TcpOptions options, FlightRecorder recorder) {
    LOG.warn(
        "Gloo proves no token: any process that reaches {}:{} can join this job.",
        options.masterAddress(),
        options.masterPort());
    return GlooCommunicator.open(options, recorder);
  }
}
