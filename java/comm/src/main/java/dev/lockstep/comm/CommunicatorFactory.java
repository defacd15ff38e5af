package dev.lockstep.comm;

import static java.util.Objects.requireNonNull;

import dev.lockstep.LockstepException;
import dev.lockstep.jni.Native;
import dev.lockstep.natives.NativeCache;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** Opens communicators. */
final class CommunicatorFactory {
  private static final Logger LOG = LoggerFactory.getLogger(Communicator.class);

  /** Names the tuning file where the configuration does not. */
  private static final String TUNING_VARIABLE = "LOCKSTEP_TUNING";

  private CommunicatorFactory() {}

  static Communicator fromEnvironment(CommunicatorConfig config) {
    requireNonNull(config, "config");
    NativeCache.useFolderOfEnvironment();
    LaunchEnvironment launch = LaunchEnvironment.current();
    Backend backend =
        switch (config.backend()) {
          case AUTO, SHARED_MEMORY -> launch.backend();
          case MPI -> Backend.MPI;
          case TCP -> Backend.TCP;
          case GLOO -> Backend.GLOO;
          case SINGLE -> Backend.SINGLE;
        };
    try (MDC.MDCCloseable ignored = RankContext.enter(launch.rank())) {
      return open(config, launch, backend);
    }
  }

  private static Communicator open(
      CommunicatorConfig config, LaunchEnvironment launch, Backend backend) {
    warnOfPassedOverMpi(launch);
    Native.set_forming_notice(config.stallSeconds());
    FlightRecorder recorder = recorder(config);
    return configured(
        config,
        switch (backend) {
          case MPI -> mpi(launch, config.timeoutSeconds(), sharing(config), recorder);
          case GLOO -> provided(backend, tcpOptions(launch, config.timeoutSeconds()), recorder);
          case TCP -> tcp(tcpOptions(launch, config.timeoutSeconds()), sharing(config), recorder);
          default -> open(Backend.SINGLE, recorder, Native::open_single);
        });
  }

  static Communicator join(TcpOptions options, CommunicatorConfig config) {
    requireNonNull(options, "options");
    requireNonNull(config, "config");
    try (MDC.MDCCloseable ignored = RankContext.enter(options.rank())) {
      return open(options, config);
    }
  }

  private static Communicator open(TcpOptions options, CommunicatorConfig config) {
    NativeCache.useFolderOfEnvironment();
    Native.set_forming_notice(config.stallSeconds());
    FlightRecorder recorder = recorder(config);
    return configured(
        config,
        switch (config.backend()) {
          case AUTO, SHARED_MEMORY, TCP -> tcp(options, sharing(config), recorder);
          case GLOO -> provided(Backend.GLOO, options, recorder);
          case MPI, SINGLE ->
              throw new IllegalArgumentException(
                  "The backend "
                      + config.backend()
                      + " takes no options of TCP; use Communicator.fromEnvironment.");
        });
  }

  /** As rank 0 of a group whose port is open already. */
  static Communicator joinAt(
      long listener,
      int worldSize,
      String token,
      double timeoutSeconds,
      CommunicatorConfig config) {
    requireNonNull(token, "token");
    requireNonNull(config, "config");
    switch (config.backend()) {
      case AUTO, SHARED_MEMORY, TCP -> {}
      case GLOO, MPI, SINGLE ->
          throw new IllegalArgumentException(
              "The backend " + config.backend() + " has no port of its own; use auto or tcp.");
    }
    Native.set_forming_notice(config.stallSeconds());
    NativeLog.follow(0);
    return configured(
        config,
        open(
            Backend.TCP,
            recorder(config),
            () -> Native.open_tcp_at(listener, worldSize, token, timeoutSeconds, sharing(config))));
  }

  private static void warnOfPassedOverMpi(LaunchEnvironment launch) {
    if (launch.rank() == 0) {
      LaunchEnvironment.passedOver(System.getenv(), MpiPlugin::isBuilt)
          .ifPresent(
              library ->
                  LOG.warn(
                      "The launcher speaks to {}, for which this build has no backend ({} was not"
                          + " there); the group forms over {}.",
                      library.title(),
                      library.debianPackage(),
                      launch.backend()));
    }
  }

  private static int sharing(CommunicatorConfig config) {
    return switch (config.backend()) {
      case AUTO -> Native.WHERE_POSSIBLE;
      case SHARED_MEMORY -> Native.REQUIRED;
      default -> Native.NEVER;
    };
  }

  private static Communicator configured(CommunicatorConfig config, Communicator group) {
    try {
      group.setStallSeconds(config.stallSeconds());
      tune(group, config);
      return group;
    } catch (RuntimeException e) {
      // The other ranks learn that this one has left; they do not wait for its tuning.
      group.close();
      throw e;
    }
  }

  private static void tune(Communicator group, CommunicatorConfig config) {
    String file = config.tuning() == null ? System.getenv(TUNING_VARIABLE) : config.tuning();
    try {
      group.useTuning(file == null || file.isEmpty() ? null : Path.of(file));
      config.algorithms().chosen().forEach(group::useAlgorithm);
    } catch (IllegalArgumentException e) {
      throw new TuningException(LockstepException.messageOf(e), e);
    }
  }

  private static FlightRecorder recorder(CommunicatorConfig config) {
    return new FlightRecorder(config.flightRecorderFolder().orElse(null));
  }

  /** Of communicators that no configuration speaks of. */
  private static FlightRecorder recorder() {
    return recorder(CommunicatorConfig.defaults());
  }

  private static TcpOptions tcpOptions(LaunchEnvironment launch, double timeoutSeconds) {
    if (launch.masterAddress() == null) {
      throw RendezvousException.of(
          "Backends tcp and gloo need RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT in the environment;"
              + " `hpc/lockstep launch -n N -- …` sets them.");
    }
    return new TcpOptions(
        launch.rank(),
        launch.worldSize(),
        launch.masterAddress(),
        launch.masterPort(),
        launch.token(),
        timeoutSeconds);
  }

  static Communicator single() {
    return open(Backend.SINGLE, recorder(), Native::open_single);
  }

  static Communicator inProcess(String group, int rank, int size, double timeoutSeconds) {
    requireNonNull(group, "group");
    NativeLog.follow(rank);
    return open(
        Backend.IN_PROCESS,
        recorder(),
        () -> Native.open_in_process(group, rank, size, timeoutSeconds));
  }

  static Communicator tcp(TcpOptions options) {
    requireNonNull(options, "options");
    return tcp(options, Native.NEVER, recorder());
  }

  private static Communicator tcp(TcpOptions options, int sharing, FlightRecorder recorder) {
    if (options.token().isEmpty()) {
      LOG.warn(
          "LOCKSTEP_TOKEN is not set: any process that reaches {}:{} can join this job.",
          options.masterAddress(),
          options.masterPort());
    }
    NativeLog.follow(options.rank());
    return open(
        Backend.TCP,
        recorder,
        () ->
            Native.open_tcp(
                options.rank(),
                options.worldSize(),
                options.masterAddress(),
                options.masterPort(),
                options.token(),
                options.timeoutSeconds(),
                sharing));
  }

  private static Communicator provided(
      Backend backend, TcpOptions options, FlightRecorder recorder) {
    for (BackendProvider provider :
        ServiceLoader.load(BackendProvider.class, BackendProvider.class.getClassLoader())) {
      if (provider.backend() == backend) {
        return provider.open(options, recorder);
      }
    }
    throw new BackendUnavailableException(
        "The backend "
            + backend
            + " is not on the class path: no jar there names a "
            + BackendProvider.class.getName()
            + " for it. Use the backend tcp.");
  }

  private static Communicator mpi(
      LaunchEnvironment launch, double timeoutSeconds, int sharing, FlightRecorder recorder) {
    if (launch.mpi() == null && launch.worldSize() > 1) {
      throw RendezvousException.of(
          "Backend mpi needs ranks that mpirun or srun started; nothing of MPI started this one, rank "
              + launch.rank()
              + " of "
              + launch.worldSize()
              + ". Use `mpirun -n "
              + launch.worldSize()
              + "` instead of `lockstep launch`, or backend tcp.");
    }
    MpiLibrary library = launch.mpi() == null ? MpiLibrary.OPEN_MPI : launch.mpi();
    String path = MpiPlugin.path(library);
    NativeLog.follow(launch.rank());
    Communicator group =
        open(Backend.MPI, recorder, () -> Native.open_mpi(path, timeoutSeconds, sharing));
    if (group.size() != launch.worldSize()) {
      int size = group.size();
      group.close();
      throw RendezvousException.of(
          "The launcher says "
              + launch.worldSize()
              + " ranks and "
              + library.title()
              + " formed a group of "
              + size
              + "; use the mpirun that belongs to it.");
    }
    return group;
  }

  private static Communicator open(Backend backend, FlightRecorder recorder, LongSupplier open) {
    NativeCache.initializePointers();
    NativeInterruption.heed();
    try {
      return new NativeCommunicator(open.getAsLong(), backend, recorder);
    } catch (RuntimeException e) {
      NativeLog.drain();
      throw NativeErrors.translate(e);
    }
  }
}
