"""The pages of Runs; each module holds one page with its fragments and acts."""
