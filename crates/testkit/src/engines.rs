//! One test, two engines.

/// Makes of `async fn name(fixture: Fixture)` the tests `name::on_sqlite` and `name::on_postgres`.
///
/// `Fixture` has two functions, `async fn sqlite()` and `async fn postgres()`, that set it up on either engine.
#[macro_export]
macro_rules! on_both_engines {
    ($(async fn $name:ident($fixture:ident: $Fixture:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn test($fixture: $Fixture) $body

            #[tokio::test]
            async fn on_sqlite() {
                test($Fixture::sqlite().await).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                test($Fixture::postgres().await).await;
            }
        }
    )*};
}
