#include "src/jobs/view_book.h"

#include "tests/unit/catch.h"

using jobs::ViewBook;

TEST_CASE("view book: without views everything is the usual one's") {
  ViewBook views;
  CHECK(views.only(1000) == "");
  views.note("", 1000);
  CHECK(views.only(1000) == "");
}

TEST_CASE("view book: one view alone has what nobody else can have written") {
  ViewBook views;
  views.note("tenant1", 1000);
  views.note("tenant1", 2000);
  CHECK(views.only(2000) == "tenant1");
}

TEST_CASE("view book: of several nobody can say which, until one falls silent for a week") {
  ViewBook views;
  views.note("", 1000);
  views.note("tenant1", 2000);
  CHECK_FALSE(views.only(2000));
  views.note("tenant1", 500'000);
  CHECK_FALSE(views.only(1000 + ViewBook::kRemembered - 1));
  CHECK(views.only(1000 + ViewBook::kRemembered) == "tenant1");
  // A stamp of the past takes nothing back.
  views.note("tenant1", 10);
  CHECK(views.only(1000 + ViewBook::kRemembered) == "tenant1");
}

TEST_CASE("view book: a flood of views is bounded, and stays several") {
  ViewBook views;
  for (int i = 0; i < 100'000; ++i) views.note(std::to_string(i), 1000);
  CHECK_FALSE(views.only(1000));
  CHECK(views.only(1000 + ViewBook::kRemembered) == "");
}
