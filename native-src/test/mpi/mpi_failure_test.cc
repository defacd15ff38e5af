// What the ranks of an MPI job say when one of them dies, stays away, leaves or errs.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include "lockstep/types.h"

namespace lockstep::test {
namespace {

struct Report {
  int code = 0;
  int at = -2;
  double seconds = 0;
  std::string text;
};

class MpiFailure : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(folder_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Runs three ranks through a scenario to the end of mpirun, which has a deadline of its own.
  std::map<int, Report> play(const std::string& scenario) {
    run(std::string(std::getenv("LOCKSTEP_MPIRUN")) + " -n 3 " + std::getenv("LOCKSTEP_MPI_RANK") + " " +
        scenario + " " + folder_);
    return reports();
  }

  void run(const std::string& command) {
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    char piece[4096];
    for (std::size_t n = 0; (n = fread(piece, 1, sizeof piece, pipe)) > 0;) output_.append(piece, n);
    const int status = pclose(pipe);
    constexpr int TIMED_OUT = 124;
    EXPECT_NE(WEXITSTATUS(status), TIMED_OUT) << "mpirun hung:\n" << output_;
  }

  std::map<int, Report> reports() const {
    std::map<int, Report> all;
    std::istringstream lines(output_);
    for (std::string line; std::getline(lines, line);) {
      int rank = 0;
      Report report;
      int text = 0;
      if (std::sscanf(line.c_str(), "rank %d code %d at %d after %lf s: %n", &rank, &report.code, &report.at,
                      &report.seconds, &text) == 4) {
        report.text = line.substr(static_cast<std::size_t>(text));
        all[rank] = report;
      }
    }
    return all;
  }

  void expect(const Report& report, ErrorCode code, int at, const std::string& words) const {
    EXPECT_EQ(report.code, static_cast<int>(code)) << output_;
    EXPECT_EQ(report.at, at) << output_;
    EXPECT_NE(report.text.find(words), std::string::npos) << output_;
  }

  std::string folder_ = std::filesystem::temp_directory_path() / "lockstep_mpi_XXXXXX";
  std::string output_;
};

TEST_F(MpiFailure, AKilledRankIsNamedByTheSurvivorsLongBeforeTheDeadline) {
  auto reports = play("killed");
  for (int survivor : {0, 2}) {
    expect(reports[survivor], ErrorCode::PEER_FAILED, 1, "Rank 1 died");
    EXPECT_LT(reports[survivor].seconds, 10) << output_;
  }
  EXPECT_EQ(reports.size(), 2U) << output_;
}

TEST_F(MpiFailure, AnAbsentRankIsNamedAtTheDeadline) {
  auto reports = play("missing");
  for (int waiting : {0, 2})
    expect(reports[waiting], ErrorCode::TIMEOUT, 1, "rank 1 did not say what it waits for");
  expect(reports[1], ErrorCode::TIMEOUT, reports[1].at, "waited 0.5 s in all-reduce #3 of 100 f32 by sum");
}

TEST_F(MpiFailure, ARankThatHasLeftIsNamed) {
  auto reports = play("left");
  for (int waiting : {0, 2}) expect(reports[waiting], ErrorCode::PEER_FAILED, 1, "left the group");
  EXPECT_NE(output_.find("rank 1 ended well"), std::string::npos) << output_;
}

TEST_F(MpiFailure, AMessageOfTheWrongLengthEndsItsReceiveAlone) {
  auto reports = play("wrong_length");
  expect(reports[1], ErrorCode::MISMATCH, 0, "sent 3 f32");
  for (const char* other : {"rank 0 ended well", "rank 2 ended well"}) {
    EXPECT_NE(output_.find(other), std::string::npos) << output_;
  }
}

TEST_F(MpiFailure, CloseEndsAPendingOperationHereAndNamesThisRankThere) {
  auto reports = play("cancelled");
  expect(reports[0], ErrorCode::CLOSED, -1, "closed");
  for (int other : {1, 2}) expect(reports[other], ErrorCode::PEER_FAILED, 0, "ank 0");
}

TEST_F(MpiFailure, AnotherMpisLauncherIsRefused) {
  setenv("PMI_SIZE", "3", 1);
  setenv("OMPI_COMM_WORLD_SIZE", "3", 1);
  run(std::string(std::getenv("LOCKSTEP_MPI_RANK")) + " alone " + folder_);
  unsetenv("PMI_SIZE");
  unsetenv("OMPI_COMM_WORLD_SIZE");
  expect(reports()[-1], ErrorCode::RENDEZVOUS, -1, "started 3 ranks, but");
}

}  // namespace
}  // namespace lockstep::test
