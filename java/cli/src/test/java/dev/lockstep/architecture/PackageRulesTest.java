package dev.lockstep.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("same-on-every-jdk")
class PackageRulesTest {
  private static final JavaClasses LIBRARY =
      new ClassFileImporter()
          .withImportOption(
              place -> !place.contains("/test-classes/") && !place.contains("-tests.jar"))
          .importPackages("dev.lockstep");

  @Test
  void onlyCommAndTheComputingPackagesTouchGeneratedBindings() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "dev.lockstep.jni..",
            "dev.lockstep.comm..",
            "dev.lockstep.gloo..",
            "dev.lockstep.train..",
            "dev.lockstep.localize..",
            "dev.lockstep.learn..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.lockstep.jni..")
        .check(LIBRARY);
  }

  @Test
  void theMpiPresetStandsAlone() {
    noClasses()
        .that()
        .resideInAPackage("dev.lockstep.mpi..")
        .should()
        .dependOnClassesThat(
            JavaClass.Predicates.resideInAPackage("dev.lockstep..")
                .and(
                    JavaClass.Predicates.resideOutsideOfPackages(
                        "dev.lockstep.mpi..", "dev.lockstep.natives.build..")))
        .check(LIBRARY);
  }

  @Test
  void theCheckOfTheNativeBuildStandsAlone() {
    noClasses()
        .that()
        .resideInAPackage("dev.lockstep.natives.build..")
        .should()
        .dependOnClassesThat(
            JavaClass.Predicates.resideInAPackage("dev.lockstep..")
                .and(JavaClass.Predicates.resideOutsideOfPackage("dev.lockstep.natives.build..")))
        .check(LIBRARY);
  }

  /** Cryptography and accounting are to be read, and trusted, without the rest. */
  @Test
  void thePrivacyOfFederatedTrainingStandsAlone() {
    noClasses()
        .that()
        .resideInAPackage("dev.lockstep.federated.privacy..")
        .should()
        .dependOnClassesThat(
            JavaClass.Predicates.resideOutsideOfPackages(
                "java..",
                "javax.crypto..",
                "org.jspecify..",
                "dev.lockstep",
                "dev.lockstep.federated.privacy.."))
        .check(LIBRARY);
  }

  @Test
  void thePartsOfFederatedTrainingHaveNoCycles() {
    slices().matching("dev.lockstep.federated.(*)..").should().beFreeOfCycles().check(LIBRARY);
  }

  /** Rounds and server know rules, clients and connections, and not the other way round. */
  @Test
  void thePartsOfFederatedTrainingDoNotKnowTheWhole() {
    noClasses()
        .that()
        .resideInAPackage("dev.lockstep.federated.*..")
        .and()
        .resideOutsideOfPackage("dev.lockstep.federated.verify..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.lockstep.federated", "dev.lockstep.federated.verify..")
        .check(LIBRARY);
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.lockstep.(*)..").should().beFreeOfCycles().check(LIBRARY);
  }

  @Test
  void onlyTrainingOfAllKindsKnowsThePartsOfAStep() {
    noClasses()
        .that()
        .resideOutsideOfPackages("dev.lockstep.train..", "dev.lockstep.federated..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.lockstep.train.engine..",
            "dev.lockstep.train.memory..",
            "dev.lockstep.train.optimizer..")
        .check(LIBRARY);
  }

  @Test
  void theLibraryDoesNotKnowItsCommandLine() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.lockstep.cli..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.lockstep.cli..", "picocli..")
        .check(LIBRARY);
  }

  @Test
  void theLibraryNeverEndsTheProcess() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.lockstep.cli..")
        .should()
        .callMethod(System.class, "exit", int.class)
        .check(LIBRARY);
  }

  @Test
  void whatComputesWithoutTorchDoesNotKnowIt() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "dev.lockstep.natives..",
            "dev.lockstep.comm..",
            "dev.lockstep.mpi..",
            "dev.lockstep.files..",
            "dev.lockstep.learn..",
            "dev.lockstep.localize..",
            "dev.lockstep.data..",
            "dev.lockstep.checkpoint..",
            "dev.lockstep.monitor..",
            "dev.lockstep.config..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.bytedeco.pytorch..", "org.bytedeco.openblas..")
        .check(LIBRARY);
  }
}
